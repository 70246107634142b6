/** bonafide-capture: guided capture of a face in the browser, for a bonafide server. */

import {BonafideCapture, define, type ErrorDetail, type ResultDetail} from './element.ts';
import type {Texts} from './texts/index.ts';
import {h} from './view/dom.ts';

export {BonafideCapture, define, type ErrorDetail, type ProgressDetail, type ResultDetail} from './element.ts';
export {readPlan, type Plan, type PlanWish, type StepType} from './plan.ts';
export {Problem, type ProblemCode} from './problem.ts';
export {addTexts, languages, type Texts} from './texts/index.ts';

export interface CaptureOptions {
  /** Address of the server, "https://liveness.example.org"; empty for the page's own. */
  server?: string;
  session: string;
  token: string;
  plan?: unknown;
  language?: string;
  theme?: 'auto' | 'light' | 'dark';
  privacyUrl?: string;
  texts?: Partial<Texts>;
  /** Where to show it; without one, in a dialog over the page. */
  container?: HTMLElement;
  signal?: AbortSignal;
}

function elementOf(options: CaptureOptions): BonafideCapture {
  define();
  const element = document.createElement('bonafide-capture') as BonafideCapture;
  const attributes = {
    server: options.server, session: options.session, token: options.token, lang: options.language,
    theme: options.theme, 'privacy-url': options.privacyUrl,
  };
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  if (options.texts) element.texts = options.texts;
  if (options.plan !== undefined) element.plan = options.plan;
  return element;
}

/** Shows the capture and resolves with its result. Rejects with an ErrorDetail when the person can do nothing more
 * here, with an AbortError when the person closes it, and with the signal's reason. A dialog stays until the person
 * closes it; what is in a container is the page's to remove. */
export function capture(options: CaptureOptions): Promise<ResultDetail> {
  if (options.signal?.aborted) return Promise.reject(options.signal.reason as Error);
  const element = elementOf(options);
  if (options.container) {
    options.container.append(element);
    return outcomeOf(element, null, options.signal);
  }
  element.setAttribute('closable', '');
  const dialog = h('dialog', {class: 'bonafide-dialog'}, element);
  const {style} = dialog;
  style.border = style.padding = '0';
  style.background = 'transparent';
  style.width = 'min(28rem, 100vw)';
  style.maxWidth = '100vw';
  element.addEventListener('bonafide-close', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return outcomeOf(element, dialog, options.signal);
}

function outcomeOf(
  element: BonafideCapture, dialog: HTMLDialogElement | null, signal: AbortSignal | undefined,
): Promise<ResultDetail> {
  return new Promise<ResultDetail>((resolve, reject) => {
    element.addEventListener('bonafide-result', (event) => resolve((event as CustomEvent<ResultDetail>).detail));
    element.addEventListener('bonafide-error', (event) => {
      const {detail} = event as CustomEvent<ErrorDetail>;
      if (detail.final) reject(detail);
    });
    dialog?.addEventListener('close', () => reject(new DOMException('The person closed it.', 'AbortError')));
    signal?.addEventListener('abort', () => {
      (dialog ?? element).remove();
      reject(signal.reason as Error);
    });
  });
}

define();
