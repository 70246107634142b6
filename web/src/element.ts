/** <bonafide-capture>: the element that pages embed. Attributes say where and for whom; it starts as soon as it has a
 * session and a token, and tells by events what became of it. */

import {canStyle} from './camera.ts';
import {Journey, type Outcome, type Surface} from './journey.ts';
import {Problem} from './problem.ts';
import sheetText from './style.css';
import {chooseLanguage, isRightToLeft, Speaker, type Texts} from './texts/index.ts';
import {h} from './view/dom.ts';
import type {Screen} from './view/screens.ts';
import type {Stage} from './view/stage.ts';

export interface ResultDetail extends Outcome {}
export interface ErrorDetail {
  code: string;
  detail: string;
  /** Whether the person can do nothing more here. */
  final: boolean;
}
export interface ProgressDetail {
  phase: string;
  share: number;
}

let sheet: CSSStyleSheet | null = null;

/** One constructed style sheet for all elements: no style element, so no policy has to allow inline styles. */
function sharedSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(sheetText);
  }
  return sheet;
}

export class BonafideCapture extends HTMLElement implements Surface {
  static readonly observedAttributes = ['server', 'session', 'token', 'plan', 'lang', 'theme', 'privacy-url'];

  readonly #root: ShadowRoot;
  readonly #card: HTMLElement;
  #plan: unknown = null;
  #texts: Partial<Texts> = {};
  #running: AbortController | null = null;
  #due = false;
  #stageShown: Stage | null = null;

  constructor() {
    super();
    this.#root = this.attachShadow({mode: 'open'});
    if (canStyle) this.#root.adoptedStyleSheets = [sharedSheet()];
    this.#card = h('section', {class: 'card', part: 'card'});
    this.#root.append(this.#card);
  }

  /** The plan as the server gave it with the token. Without one the server is asked for it. */
  get plan(): unknown {
    const text = this.getAttribute('plan');
    if (this.#plan !== null || !text) return this.#plan;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return {};
    }
  }

  set plan(plan: unknown) {
    this.#plan = plan;
    this.#schedule();
  }

  /** Changes of single texts; keys as in texts/en.ts. */
  get texts(): Partial<Texts> {
    return this.#texts;
  }

  set texts(texts: Partial<Texts>) {
    this.#texts = texts;
    this.#schedule();
  }

  connectedCallback(): void {
    // What a page set before this was defined stands in the way of the accessors.
    for (const name of ['plan', 'texts'] as const) {
      if (!Object.prototype.hasOwnProperty.call(this, name)) continue;
      const value: unknown = this[name];
      delete (this as Record<string, unknown>)[name];
      Reflect.set(this, name, value);
    }
    this.#schedule();
  }

  disconnectedCallback(): void {
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name !== 'theme') this.#schedule();
  }

  /** Begins anew, with what the attributes say now. */
  restart(): void {
    this.#stop();
    void this.#run();
  }

  /** Several attributes set in one go start one journey. */
  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.isConnected) this.restart();
    });
  }

  #stop(): void {
    this.#running?.abort(new DOMException('The element was removed or changed.', 'AbortError'));
    this.#running = null;
    this.#stageShown?.close();
  }

  #speaker(): Speaker {
    const around = this.parentElement?.closest('[lang]')?.getAttribute('lang');
    const language = chooseLanguage([this.getAttribute('lang'), around, ...navigator.languages]);
    return new Speaker(language, this.#texts);
  }

  async #run(): Promise<void> {
    // An element that is still being filled in is no mistake yet.
    if (!this.getAttribute('session') && !this.getAttribute('token')) return;
    const running = new AbortController();
    const speak = this.#speaker();
    this.#running = running;
    this.#card.lang = speak.language;
    this.#card.dir = isRightToLeft(speak.language) ? 'rtl' : 'ltr';
    try {
      const outcome = await new Journey({
        server: this.getAttribute('server') ?? '', session: this.getAttribute('session') ?? '',
        token: this.getAttribute('token') ?? '', plan: this.plan, speak, privacyUrl: this.getAttribute('privacy-url'),
        close: this.hasAttribute('closable') ? () => this.#tell('bonafide-close', null) : null,
      }, this, running.signal).run();
      this.#tell<ResultDetail>('bonafide-result', outcome);
    } catch (error) {
      // A final problem was shown and told already; anything else than that and the end is a mistake of ours.
      if (!(error instanceof Problem) && !running.signal.aborted) reportError(error);
    }
  }

  #tell<T>(name: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(name, {detail, bubbles: true, composed: true}));
  }

  show(screen: Screen): void {
    // The first screen must not pull the person away from the page around it.
    const first = !this.#card.hasChildNodes();
    if (first) screen.urgent?.setAttribute('role', 'alert');
    this.#card.replaceChildren(screen.root);
    if (!first) screen.focus.focus({preventScroll: false});
  }

  stage(stage: Stage): void {
    this.#stageShown = stage;
    stage.dialog.lang = this.#card.lang;
    stage.dialog.dir = this.#card.dir;
    this.#root.append(stage.dialog);
  }

  progress(phase: string, share: number): void {
    this.#tell<ProgressDetail>('bonafide-progress', {phase, share});
  }

  problem(problem: Problem, final: boolean): void {
    this.#tell<ErrorDetail>('bonafide-error', {code: problem.code, detail: problem.detail, final});
  }
}

export function define(name = 'bonafide-capture'): void {
  if (!customElements.get(name)) customElements.define(name, BonafideCapture);
}
