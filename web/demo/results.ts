/** What the integrator's back end sees of a session: decision, reasons, evidence, and how to ask for it. */

import {h, type Child} from '../src/view/dom.ts';

interface Evidence {
  detector: string;
  status: string;
  raw: number | null;
  llr: number | null;
}

interface Signal {
  name: string;
  severity: string;
  source: string;
  detail: string;
}

interface CaptureSection {
  kind: string;
  frames: {coded: number; analysed: number};
  duration_ms: number;
  challenge: string;
  light: string;
  sequence: {detector: string; findings: {code: string; ms: number | null; value: number | null}[]}[];
  signals: Signal[];
}

interface RecordJson {
  status: string;
  result: {label: string; score: number; band: string} | null;
  decision: {decision: string; reason: string; reason_codes: string[]; guidance: string[]; policy_version: string};
  match: {outcome: string; similarity: number | null} | null;
  evidence: Evidence[];
  capture?: CaptureSection | null;
  error: {code: string; message: string} | null;
  input: {type: string; bytes: number; width: number; height: number} | null;
  latency_ms: number | null;
}

interface Attempt {
  attempt: number;
  request_id: string;
  decision: string;
  record: RecordJson | null;
  client: object | null;
}

export interface SessionState {
  session: {
    id: string; state: string; flow_type: string; mode: string; attempts_made: number;
    decision: {decision: string; reason: string; request_id: string | null} | null;
  };
  attempts: Attempt[];
}

const SCALE_LLR = 5;

function pill(text: string): HTMLElement {
  return h('span', {class: 'pill'}, text);
}

function fact(name: string, ...value: Child[]): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
}

function rounded(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined ? '–' : value.toFixed(digits);
}

/** A bar from the middle: to the right speaks for a real person, to the left against. */
function scale(llr: number | null): HTMLElement {
  const bar = h('i');
  const share = Math.min(1, Math.abs(llr ?? 0) / SCALE_LLR) * 50;
  bar.style.insetInlineStart = `${(llr ?? 0) < 0 ? 50 - share : 50}%`;
  bar.style.inlineSize = `${share}%`;
  bar.classList.toggle('against', (llr ?? 0) < 0);
  return h('div', {class: 'scale', 'aria-hidden': 'true'}, bar);
}

function table(heads: string[], rows: Child[][]): HTMLElement {
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': heads.join(', ')}, h('table', {},
    h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', {scope: 'col'}, head)))),
    h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell)))))));
}

function evidence(record: RecordJson): HTMLElement {
  return table(['Detector', 'Status', 'Raw', 'Log-likelihood ratio', 'Against or for'], record.evidence.map((entry) => [
    entry.detector, entry.status.replaceAll('_', ' '), rounded(entry.raw), rounded(entry.llr), scale(entry.llr)]));
}

function capture(section: CaptureSection): Child[] {
  const found = section.sequence.flatMap(({detector, findings}) =>
    findings.map((finding): Child[] => [detector, finding.code.replaceAll('_', ' '),
      finding.ms === null || finding.ms < 0 ? '–' : `${Math.round(finding.ms)} ms`, rounded(finding.value)]));
  return [
    h('dl', {class: 'facts'}, fact('Capture', section.kind),
      fact('Frames', `${section.frames.coded} sent, ${section.frames.analysed} analysed`),
      fact('Length', `${(section.duration_ms / 1000).toFixed(1)} s`),
      fact('Steps', section.challenge.replaceAll('_', ' ')), fact('Light', section.light.replaceAll('_', ' '))),
    found.length > 0 && h('h3', {}, 'Findings'),
    found.length > 0 && table(['Detector', 'Finding', 'At', 'Value'], found),
    section.signals.length > 0 && h('h3', {}, 'Signals of the capture path'),
    section.signals.length > 0 && table(['Signal', 'Severity', 'Source', 'Detail'], section.signals.map((signal) =>
      [signal.name.replaceAll('_', ' '), signal.severity, signal.source.replaceAll('_', ' '), signal.detail])),
  ];
}

function json(title: string, value: unknown): HTMLElement {
  return h('details', {}, h('summary', {}, title),
    h('pre', {tabindex: '0'}, typeof value === 'string' ? value : JSON.stringify(value, null, 2)));
}

function attempt(entry: Attempt): HTMLElement {
  const {record, decision} = entry;
  return h('section', {class: 'attempt'},
    h('div', {class: 'verdict'}, h('h2', {}, `Attempt ${entry.attempt}`),
      h('p', {}, h('strong', {class: decision}, decision), ' ', record && pill(record.decision.reason))),
    record ? h('dl', {class: 'facts'},
      fact('Liveness', record.result ? `${record.result.label} (${record.result.band}), score ` +
        rounded(record.result.score, 1) : 'not judged'),
      fact('Match', record.match ? record.match.outcome.replaceAll('_', ' ') : '–'),
      fact('Guidance', record.decision.guidance.join(', ') || '–'),
      record.error && fact('Error', record.error.code),
      fact('Received', record.input ? `${(record.input.bytes / 1000).toFixed(0)} kB, ${record.input.width} x ` +
        `${record.input.height}` : '–'),
      fact('Judged in', record.latency_ms === null ? '–' : `${Math.round(record.latency_ms)} ms`)) : null,
    ...(record?.capture ? capture(record.capture) : []),
    record && record.evidence.length > 0 && evidence(record),
    record && json('The whole record', record),
    entry.client && json('What the client reported about itself', entry.client));
}

function asking(state: SessionState): HTMLElement {
  const {session} = state;
  const curl = `curl -H 'Authorization: Bearer INTEGRATOR_KEY' ${location.origin}/v1/sessions/${session.id}`;
  const webhook = {
    event: `session.${session.state.toLowerCase()}`, session_id: session.id, flow_type: session.flow_type,
    decision: session.decision,
  };
  return h('section', {class: 'panel'}, h('h2', {}, 'How your back end gets this'),
    h('p', {class: 'note'}, 'Ask for it with an integrator’s key (printed where the server was started) …'),
    h('pre', {tabindex: '0'}, curl),
    h('p', {class: 'note'},
      '… or be told. A webhook is about this, signed; docs/reference/webhooks.md has the exact form:'),
    h('pre', {tabindex: '0'}, JSON.stringify(webhook, null, 2)));
}

export function results(state: SessionState, again: () => void): HTMLElement {
  const {session} = state;
  const last = state.attempts.at(-1);
  const outcome = session.decision ??
    (last ? {decision: last.decision, reason: last.record?.decision.reason ?? ''} : null);
  return h('div', {},
    h('section', {class: 'panel'},
      h('h1', {tabindex: '-1'}, 'What your back end sees'),
      h('div', {class: 'verdict'},
        h('p', {class: `decision ${outcome?.decision ?? ''}`}, outcome?.decision ?? 'no decision yet'),
        outcome?.reason && pill(outcome.reason)),
      h('dl', {class: 'facts'}, fact('Session', session.state.toLowerCase().replaceAll('_', ' ')),
        fact('Journey', session.flow_type.replaceAll('_', ' ')), fact('Mode', session.mode),
        fact('Attempts', String(session.attempts_made)))),
    h('section', {class: 'panel'}, ...state.attempts.map(attempt),
      state.attempts.length === 0 && h('p', {class: 'note'}, 'There was no attempt.')),
    asking(state),
    h('div', {class: 'actions'}, h('button', {type: 'button', click: again}, 'Begin anew')));
}
