/** The demonstration at /demo/: choose a journey, go through it, and see what the integrator's back end would see.
 *
 * It uses two routes that exist in development mode only and stand for the integrator's back end:
 *   POST /demo/session       {mode, flow_type, channel, reference?: base64}  -> as POST /v1/sessions answers
 *   GET  /demo/session?id=X                                         -> as GET /v1/sessions/X answers */

import type {BonafideCapture, ErrorDetail} from '../src/index.ts';
import {h} from '../src/view/dom.ts';
import {results, type SessionState} from './results.ts';

interface Created {
  session: {id: string};
  client_token: string;
  plan: unknown;
}

const MODES = [
  ['passive', 'Passive', 'Look into the camera for a moment.'],
  ['active', 'Active', 'Follow a few steps; the screen lights up in colours.'],
  ['hybrid', 'Hybrid', 'Passive first; steps only when the policy wants to know more.'],
] as const;
const FLOWS = [
  'account_opening', 'login_step_up', 'account_recovery', 'high_value_transaction', 'video_kyc', 'browser_first',
] as const;
const LANGUAGES = [['', 'As the browser says'], ['en', 'English'], ['de', 'Deutsch'], ['ar', 'العربية']] as const;

const main = document.getElementById('main') as HTMLElement;

function show(...content: Node[]): void {
  main.replaceChildren(...content);
  main.querySelector<HTMLElement>('h1, h2')?.focus();
  scrollTo(0, 0);
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

async function ask(method: string, target: string, body?: object): Promise<unknown> {
  const answer = await fetch(target, {
    method, ...(body ? {body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}} : {}),
  });
  const said = await answer.json() as {error?: {code: string; message: string}};
  if (!answer.ok) throw new Error(`${said.error?.code ?? answer.status}: ${said.error?.message ?? 'no answer'}`);
  return said;
}

function start(): void {
  const problem = h('p', {class: 'problem', role: 'alert'});
  const form = h('form', {class: 'panel start'},
    h('h1', {tabindex: '-1'}, 'Try live capture'),
    h('p', {class: 'lead'}, 'Go through a check as a person would, then see the decision and its reasons as ' +
      'your back end would.'),
    h('fieldset', {}, h('legend', {}, 'Journey'),
      h('div', {class: 'cards'}, ...MODES.map(([value, name, text], index) => h('label', {class: 'choice'},
        h('input', {type: 'radio', name: 'mode', value, checked: index === 0}), h('span', {}, name),
        h('small', {}, text))))),
    h('div', {class: 'row'},
      h('label', {}, 'What for', h('select', {name: 'flow'}, ...FLOWS.map((flow) => h('option', {value: flow},
        flow.replaceAll('_', ' '))))),
      h('label', {}, 'Language', h('select', {name: 'language'}, ...LANGUAGES.map(([value, name]) =>
        h('option', {value}, name)))),
      h('label', {}, 'Portrait on an ID (optional)', h('input', {type: 'file', name: 'reference', accept: 'image/*'}),
        h('small', {}, 'The face is compared with it.'))),
    h('button', {type: 'submit'}, 'Begin'), problem);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void told(problem, begin(form));
  });
  show(form);
}

/** Waits for a piece of work, and says beside it what went wrong. */
async function told(problem: HTMLElement, work: Promise<void>): Promise<void> {
  problem.textContent = '';
  await work.catch((error: unknown) => (problem.textContent = String(error)));
}

async function begin(form: HTMLFormElement): Promise<void> {
  const chosen = new FormData(form);
  const file = chosen.get('reference');
  const body = {
    mode: chosen.get('mode'), flow_type: chosen.get('flow'),
    channel: matchMedia('(pointer: coarse)').matches ? 'mobile_web' : 'desktop_web',
    ...(file instanceof File && file.size > 0 ? {reference: await base64(file)} : {}),
  };
  run(await ask('POST', '/demo/session', body) as Created, String(chosen.get('language')));
}

function run(created: Created, language: string): void {
  const element = document.createElement('bonafide-capture') as BonafideCapture;
  element.setAttribute('session', created.session.id);
  element.setAttribute('token', created.client_token);
  if (language) element.setAttribute('lang', language);
  element.plan = created.plan;
  const problem = h('p', {class: 'problem', role: 'alert'});
  const look = h('button',
    {type: 'button', class: 'quiet', click: () => void told(problem, decide(created.session.id))},
    'Show what the back end sees');
  const again = h('button', {type: 'button', class: 'quiet', hidden: true, click: start}, 'Begin anew');
  const below = h('div', {class: 'actions'}, look, again);
  const over = (): void => {
    look.classList.remove('quiet');
    again.hidden = false;
  };
  element.addEventListener('bonafide-result', over);
  element.addEventListener('bonafide-error', (event) => (event as CustomEvent<ErrorDetail>).detail.final && over());
  show(h('div', {class: 'capture'}, element, below, problem));
}

async function decide(id: string): Promise<void> {
  const state = await ask('GET', `/demo/session?id=${encodeURIComponent(id)}`) as SessionState;
  show(results(state, start));
}

start();
