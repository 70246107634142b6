/** The two requests that a person's device makes: sending a capture, and asking for another plan. Both are repeated on
 * a broken network with the same Idempotency-Key, so that nothing counts twice. */

import {after} from './after.ts';
import {Problem} from './problem.ts';
import type {PlanWish} from './plan.ts';

export interface Answer {
  answer: 'pass' | 'retry' | 'challenge' | 'done';
  request_id: string;
  guidance: string[];
  attempts_left: number;
  client_token: string | null;
  plan: unknown;
}

/** `done`: nothing can be asked that this person can do; people take over. */
export interface PlanAnswer {
  answer: 'plan' | 'done';
  request_id: string;
  plan: unknown;
}

/** How far a capture has got: a share of the bytes, and whether the network makes us wait. */
export type Progress = (share: number, waiting: boolean) => void;

const TRIES = 5;
const WAIT_MS = [800, 1600, 3200, 6400];
const OFFLINE_MS = 15_000;
const RETRY_AFTER_S_MAX = 30;
/** No byte moved and no answer came for so long: the connection is dead. */
const STALL_MS = 25_000;

interface Reply {
  status: number;
  retryAfter: number;
  body: Record<string, unknown> | null;
}

interface Request {
  url: string;
  token: string;
  key: string | null;
  type: string;
  body: Blob | string;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** One try. Never rejects but for an abort; status 0 is a network that failed. */
function post(request: Request, progress: Progress, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stall = 0;
    const alive = (): void => {
      clearTimeout(stall);
      stall = window.setTimeout(() => xhr.abort(), STALL_MS);
    };
    const abort = (): void => xhr.abort();
    xhr.open('POST', request.url);
    xhr.setRequestHeader('Authorization', `Bearer ${request.token}`);
    xhr.setRequestHeader('Content-Type', request.type);
    if (request.key) xhr.setRequestHeader('Idempotency-Key', request.key);
    xhr.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable) progress(event.loaded / event.total, false);
    };
    xhr.onprogress = alive;
    xhr.onloadend = () => {
      clearTimeout(stall);
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({
        status: xhr.status, body: parse(xhr.responseText),
        retryAfter: xhr.status === 0 ? 0 : Number(xhr.getResponseHeader('Retry-After')) || 0,
      });
    };
    signal.addEventListener('abort', abort);
    alive();
    xhr.send(request.body);
  });
}

function codeOf(reply: Reply): string {
  const error = reply.body?.['error'] as {code?: unknown} | null | undefined;
  return typeof error?.code === 'string' ? error.code : '';
}

function mayRepeat(reply: Reply): boolean {
  return [0, 408, 425, 429].includes(reply.status) || reply.status >= 500 ||
    ['IDEMPOTENCY_IN_PROGRESS', 'ATTEMPT_IN_PROGRESS'].includes(codeOf(reply));
}

function problemOfReply(reply: Reply): Problem {
  const code = codeOf(reply);
  const detail = `${reply.status} ${code}`;
  if (reply.status === 0) return new Problem('network', detail);
  if (code === 'SESSION_FINISHED' || code === 'ERASED') return new Problem('finished', detail);
  if (code === 'EXCLUSION_REFUSED') return new Problem('exclusion_refused', detail);
  if ([401, 404, 410].includes(reply.status) || code === 'ATTEMPT_REPLAYED') return new Problem('expired', detail);
  return new Problem(mayRepeat(reply) ? 'server' : 'refused', detail);
}

/** Waits, and when the device knows that it is offline, until it is online again, but not for ever. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return after(navigator.onLine ? ms : Math.max(ms, OFFLINE_MS), signal, 'online');
}

async function ask(request: Request, progress: Progress, signal: AbortSignal): Promise<Record<string, unknown>> {
  let reply: Reply = {status: 0, retryAfter: 0, body: null};
  for (let round = 0; round < TRIES; round++) {
    reply = await post(request, progress, signal);
    if (reply.status === 200 && reply.body) return reply.body;
    if (!mayRepeat(reply) || round + 1 === TRIES) break;
    progress(0, true);
    const wait = Math.min(reply.retryAfter, RETRY_AFTER_S_MAX) * 1000 || WAIT_MS[round] || 0;
    await pause(wait, signal);
  }
  throw problemOfReply(reply);
}

export class Client {
  readonly #base: string;
  #key = '';
  #body: Blob | null = null;

  constructor(server: string, session: string) {
    this.#base = `${server.replace(/\/+$/, '')}/v1/sessions/${encodeURIComponent(session)}`;
  }

  /** Sends a capture. The same bytes sent once more count as the same attempt. */
  async send(file: Blob, token: string, progress: Progress, signal: AbortSignal): Promise<Answer> {
    if (file !== this.#body) {
      this.#body = file;
      this.#key = crypto.randomUUID();
    }
    const answer = await ask({
      url: `${this.#base}/attempts`, token, key: this.#key, type: 'application/octet-stream', body: file,
    }, progress, signal) as unknown as Answer;
    this.#body = null;
    return answer;
  }

  /** Asks for another plan. */
  async plan(wish: PlanWish, token: string, signal: AbortSignal): Promise<PlanAnswer> {
    try {
      return await ask({
        url: `${this.#base}/plan`, token, key: null, type: 'application/json', body: JSON.stringify(wish),
      }, () => undefined, signal) as unknown as PlanAnswer;
    } catch (error) {
      // Changed too often: the person must not be asked for it all the same.
      if (error instanceof Problem && error.code === 'refused') throw new Problem('no_plan_left', error.detail);
      throw error;
    }
  }
}
