/** The quiet screens: explanation, sending, answers, problems. Each is built once and tells by callbacks what the
 * person chose. */

import {isActive, type FlashForm, type Plan, type PlanWish, type StepType} from '../plan.ts';
import {canRetry, type Problem, type ProblemCode} from '../problem.ts';
import type {Speaker, TextKey} from '../texts/index.ts';
import {h, type Child} from './dom.ts';
import {badge, sign, type Sign} from './figures.ts';

export interface Screen {
  root: HTMLElement;
  /** Gets the focus when the screen appears, so that a screen reader says it and what describes it. */
  focus: HTMLElement;
  /** To be said even where the focus stays in the page around. */
  urgent?: HTMLElement;
}

export type Occasion = 'first' | 'retry' | 'challenge';

export interface Settings {
  speak: Speaker;
  privacyUrl: string | null;
  /** Where the page can do without this afterwards: how to close it. */
  close: (() => void) | null;
}

const ABILITIES: readonly (readonly [TextKey, readonly StepType[]])[] = [
  ['cannot_turn', ['turn_left', 'turn_right']], ['cannot_nod', ['look_up', 'look_down']],
  ['cannot_closer', ['move_closer']], ['cannot_blink', ['blink']], ['cannot_smile', ['smile']],
  ['cannot_mouth', ['open_mouth']],
];

function heading(text: string): HTMLHeadingElement {
  return h('h2', {part: 'title', tabindex: '-1'}, text);
}

function button(text: string, click: () => void, kind: 'main' | 'quiet' = 'main'): HTMLButtonElement {
  return h('button', {type: 'button', class: `button ${kind}`, part: kind === 'main' ? 'button' : 'button-quiet',
    click}, text);
}

/** Safari takes a list without bullets for none unless it says so itself. */
function points(part: string | null, ...list: HTMLElement[]): HTMLElement {
  return h('ul', {class: 'points', part, role: 'list'}, ...list);
}

function point(name: Sign, text: string): HTMLElement {
  return h('li', {}, sign(name), h('span', {}, text));
}

/** Whoever cannot see the screen hears its lead and the server's guidance with the title, and goes through the rest. */
function screen(title: HTMLElement, ...children: Child[]): Screen {
  const about = children.filter((child): child is HTMLElement =>
    child instanceof HTMLElement && child.matches('.lead, [part="guidance"]'));
  about.forEach((child, index) => (child.id = `about-${index}`));
  if (about.length > 0) title.setAttribute('aria-describedby', about.map(({id}) => id).join(' '));
  return {root: h('div', {class: 'screen', part: 'screen'}, ...children), focus: title};
}

function check(text: string, change: (on: boolean) => void, on = false): HTMLElement {
  const box = h('input', {type: 'checkbox', change: (event) => change((event.target as HTMLInputElement).checked)});
  box.checked = on;
  return h('label', {class: 'check'}, box, h('span', {}, text));
}

/** Choices about the plan: the kind of light, steps to leave out, more time. */
class Choices {
  readonly root: HTMLElement;
  readonly #plan: Plan;
  readonly #speak: Speaker;
  #flash: 'none' | FlashForm;
  #relaxed = false;
  readonly #excluded = new Set<StepType>();

  constructor(plan: Plan, speak: Speaker, before: PlanWish | null) {
    this.#plan = plan;
    this.#speak = speak;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#flash = plan.flash ? (calm ? 'gentle' : plan.flash.form) : before?.flash ?? 'full';
    before?.exclude.forEach((step) => this.#excluded.add(step));
    this.#relaxed = before?.pace === 'relaxed';
    this.root = h('div', {class: 'choices'}, plan.flash ? this.#flashBox(plan.flash.form) : null,
      isActive(plan) ? this.#abilities() : null);
  }

  #flashBox(form: FlashForm): HTMLElement {
    const forms: readonly ('none' | FlashForm)[] = form === 'full' ? ['full', 'gentle', 'none'] : ['gentle', 'none'];
    return h('fieldset', {class: 'notice', part: 'flash-warning'},
      h('legend', {class: 'unseen'}, this.#speak.say('flash_legend')),
      h('p', {class: 'notice-title'}, sign('flash'), this.#speak.say('flash_title')),
      h('p', {}, this.#speak.say('flash_text')),
      ...forms.map((value) => {
        const radio = h('input', {type: 'radio', name: 'flash', value, change: () => (this.#flash = value)});
        radio.checked = value === this.#flash;
        return h('label', {class: 'check'}, radio, h('span', {}, this.#speak.say(`flash_${value}`)));
      }));
  }

  #abilities(): HTMLElement {
    const exclude = (steps: readonly StepType[], on: boolean): void => {
      steps.forEach((step) => (on ? this.#excluded.add(step) : this.#excluded.delete(step)));
    };
    return h('details', {class: 'cannot', part: 'abilities'},
      h('summary', {}, this.#speak.say('cannot')),
      h('p', {}, this.#speak.say('cannot_lead')),
      ...ABILITIES.map(([key, steps]) => check(this.#speak.say(key), (on) => exclude(steps, on),
        steps.every((step) => this.#excluded.has(step)))),
      h('hr'),
      check(this.#speak.say('more_time'), (on) => (this.#relaxed = on), this.#relaxed));
  }

  /** What differs from the plan that is there; null when it serves. */
  wish(before: PlanWish | null): PlanWish | null {
    const flash = this.#plan.flash && this.#flash !== this.#plan.flash.form;
    const asked = this.#plan.steps.some((step) => this.#excluded.has(step.type));
    const pace = this.#relaxed !== (before?.pace === 'relaxed');
    if (!flash && !asked && !pace) return null;
    return {exclude: [...this.#excluded], flash: this.#flash, pace: this.#relaxed ? 'relaxed' : 'normal'};
  }
}

function seconds(plan: Plan): number {
  return Math.max(1, Math.round(plan.duration_ms / 1000));
}

function advice(codes: readonly string[], speak: Speaker): HTMLElement | null {
  const said = codes.filter((code) => speak.guidance(code) !== null).slice(0, 3);
  if (said.length === 0) return null;
  return points('guidance', ...said.map((code) => {
    const about = /light/.test(code) ? 'light' : /camera|closer|back/.test(code) ? 'level' : 'face';
    return point(about, speak.guidance(code) ?? '');
  }));
}

function firstLead(plan: Plan, speak: Speaker): Child[] {
  const lead = speak.say(isActive(plan) ? 'intro_active' : 'intro_passive', {seconds: seconds(plan)});
  return [
    h('p', {class: 'lead'}, lead),
    points(null, point('light', speak.say('point_light')), point('level', speak.say('point_face')),
      point('alone', speak.say('point_alone'))),
  ];
}

const OPENINGS: Record<Occasion, {title: TextKey; sign: Sign; start: TextKey}> = {
  first: {title: 'title', sign: 'face', start: 'agree'},
  retry: {title: 'retry_title', sign: 'again', start: 'again'},
  challenge: {title: 'challenge_title', sign: 'steps', start: 'agree_again'},
};

/** Before each capture: what happens, what it is for, and every choice there is. `go` gets what the person ticked; null
 * when the plan serves as it is. */
export function openingScreen(
  settings: Settings, plan: Plan, occasion: Occasion, guidance: readonly string[], attemptsLeft: number | null,
  before: PlanWish | null, go: (wish: PlanWish | null) => void,
): Screen {
  const {speak} = settings;
  const opening = OPENINGS[occasion];
  const choices = new Choices(plan, speak, before);
  const title = heading(speak.say(opening.title));
  const found = advice(guidance, speak);
  const first = occasion === 'first';
  return screen(title, badge(opening.sign), title,
    ...(first ? firstLead(plan, speak) : []),
    occasion === 'retry' && h('p', {class: 'lead'}, found ? speak.say('retry_text') : speak.guidance('try_again')),
    occasion === 'retry' && found,
    occasion === 'challenge' && h('p', {class: 'lead'}, speak.say('challenge_text', {seconds: seconds(plan)})),
    choices.root,
    first && h('p', {class: 'small'}, sign('lock'), h('span', {},
      speak.say(location.protocol === 'https:' ? 'privacy' : 'privacy_plain'), ' ',
      settings.privacyUrl && h('a', {href: settings.privacyUrl, target: '_blank', rel: 'noopener'},
        speak.say('privacy_link')))),
    h('div', {class: 'actions'}, button(speak.say(opening.start), () => go(choices.wish(before)))),
    occasion === 'retry' && attemptsLeft !== null && attemptsLeft < 10 &&
      h('p', {class: 'small centre'}, speak.say('attempts_left', {count: attemptsLeft})));
}

/** Something is under way: permission, another plan. */
export function waitingScreen(settings: Settings, titleKey: TextKey, textKey: TextKey | null, name: Sign): Screen {
  const title = heading(settings.speak.say(titleKey));
  return screen(title, badge(name), title, textKey && h('p', {class: 'lead'}, settings.speak.say(textKey)),
    h('div', {class: 'dots', 'aria-hidden': 'true'}, h('i'), h('i'), h('i')));
}

export interface SendingScreen extends Screen {
  update(share: number, waiting: boolean): void;
}

export function sendingScreen(settings: Settings): SendingScreen {
  const {speak} = settings;
  const title = heading(speak.say('sending_title'));
  const bar = h('progress', {part: 'progress', max: 1, value: 0, 'aria-label': speak.say('sending_title')});
  const note = h('p', {class: 'lead', role: 'status'}, speak.say('sending_text'));
  const built = screen(title, badge('send'), title, note, bar);
  const say = (text: string): void => {
    if (note.textContent !== text) note.textContent = text;
  };
  return {
    ...built,
    update(share, waiting) {
      bar.value = share;
      say(speak.say(waiting ? 'sending_slow' : share >= 1 ? 'judging' : 'sending_text'));
      // Without a value it shows that something goes on, which is all there is to know while the server judges.
      if (share >= 1) bar.removeAttribute('value');
    },
  };
}

function closing(settings: Settings, kind: 'main' | 'quiet'): HTMLElement | null {
  const {close, speak} = settings;
  return close && h('div', {class: 'actions'}, button(speak.say('close'), close, kind));
}

export function finishedScreen(settings: Settings, answer: 'pass' | 'done', guidance: readonly string[]): Screen {
  const {speak} = settings;
  const title = heading(speak.say(`${answer}_title`));
  const said = guidance.map((code) => speak.guidance(code)).find((text) => text !== null);
  return screen(title, badge('check', answer === 'pass' ? 'good' : 'calm'), title,
    h('p', {class: 'lead'}, (answer === 'done' && said) || speak.say(`${answer}_text`)),
    closing(settings, 'main'));
}

const PROBLEM_SIGNS: Partial<Record<ProblemCode, Sign>> = {
  insecure_context: 'lock', network: 'cloud', expired: 'clock', finished: 'check', hidden: 'again', rotated: 'again',
  server: 'clock', no_plan_left: 'steps', exclusion_refused: 'help', refused: 'help', not_set_up: 'help',
  unsupported: 'help',
};

export function problemScreen(settings: Settings, problem: Problem, again: () => void): Screen {
  const {speak} = settings;
  const title = heading(speak.say(`problem_${problem.code}_title`));
  const urgent = h('p', {class: 'lead'}, speak.say(`problem_${problem.code}_text`));
  const way = canRetry(problem.code) ? h('div', {class: 'actions'}, button(speak.say('again'), again)) :
    closing(settings, 'quiet');
  return {...screen(title, badge(PROBLEM_SIGNS[problem.code] ?? 'camera', 'care'), title, urgent, way), urgent};
}
