/** A person's way through one session: explanation, capture, answer, and again as often as the server asks. Written as
 * one straight story; each screen is a promise of what the person does there. */

import {whenItMayWork, checkSurroundings} from './camera.ts';
import {Cancelled, Capture} from './capture.ts';
import {readPlan, type Plan, type PlanWish} from './plan.ts';
import {canRetry, Problem, problemOf} from './problem.ts';
import {Client, type Answer} from './server.ts';
import type {Speaker} from './texts/index.ts';
import {
  finishedScreen, openingScreen, problemScreen, sendingScreen, waitingScreen, type Occasion, type Screen,
} from './view/screens.ts';
import {Stage} from './view/stage.ts';

export interface JourneySettings {
  server: string;
  session: string;
  token: string;
  /** As the server gave it; without one, the server is asked. */
  plan: unknown;
  speak: Speaker;
  privacyUrl: string | null;
  close: (() => void) | null;
}

export interface Outcome {
  /** `pass`: it went well. `done`: nothing more is needed from the person. The back end asks for the decision. */
  answer: 'pass' | 'done';
  request_id: string;
  guidance: string[];
  attempts: number;
}

/** Where the journey shows itself, and whom it tells. */
export interface Surface {
  show(screen: Screen): void;
  stage(stage: Stage): void;
  progress(phase: string, share: number): void;
  problem(problem: Problem, final: boolean): void;
}

interface Ticket {
  token: string;
  plan: Plan;
}

export class Journey {
  readonly #settings: JourneySettings;
  readonly #surface: Surface;
  readonly #signal: AbortSignal;
  readonly #client: Client;
  #wish: PlanWish | null = null;
  #deviceId: string | null = null;
  #attempts = 0;

  constructor(settings: JourneySettings, surface: Surface, signal: AbortSignal) {
    this.#settings = settings;
    this.#surface = surface;
    this.#signal = signal;
    this.#client = new Client(settings.server, settings.session);
  }

  /** Runs to the end. Throws a Problem that nothing here can mend, after showing it, or the signal's reason. */
  async run(): Promise<Outcome> {
    let ticket = await this.#helped(() => this.#begin());
    let occasion: Occasion = 'first';
    let answer: Answer | null = null;
    for (;;) {
      const agreed: Ticket | Outcome = await this.#agree(ticket, occasion, answer);
      if ('answer' in agreed) return agreed;
      ticket = agreed;
      const file = await this.#capture(ticket.plan);
      if (file === null) continue;
      const got = await this.#send(file, ticket.token);
      this.#attempts++;
      if (got.answer === 'pass' || got.answer === 'done') return this.#finish(got.answer, got);
      answer = got;
      occasion = got.answer;
      ticket = await this.#helped(async () => this.#next(got));
    }
  }

  #next(answer: Answer): Ticket {
    if (!answer.client_token || !answer.plan) throw new Problem('server', 'an answer without plan or token');
    return {token: answer.client_token, plan: this.#read(answer.plan)};
  }

  #read(plan: unknown): Plan {
    try {
      return readPlan(plan);
    } catch (error) {
      throw new Problem('server', String(error));
    }
  }

  async #begin(): Promise<Ticket> {
    const {session, token, plan} = this.#settings;
    if (!session || !token) throw new Problem('not_set_up', 'session and token are needed');
    checkSurroundings();
    if (plan !== null && plan !== undefined) return {token, plan: this.#read(plan)};
    this.#surface.show(waitingScreen(this.#settings, 'judging', null, 'clock'));
    const given = await this.#client.plan({exclude: [], flash: 'full', pace: 'normal'}, token, this.#signal);
    return {token, plan: this.#read(given.plan)};
  }

  /** Explains, and when the person wants another plan, gets it and explains that. */
  async #agree(ticket: Ticket, occasion: Occasion, answer: Answer | null): Promise<Ticket | Outcome> {
    let now = ticket;
    for (;;) {
      const wish = await this.#choice(now.plan, occasion, answer);
      if (wish === null) return now;
      const changed = await this.#helped(() => this.#otherPlan(wish, now.token));
      if (changed === null) continue;
      if ('answer' in changed) return changed;
      this.#wish = wish;
      now = changed;
      // What was chosen is kept; only light that the person did not agree to needs another word.
      if (now.plan.flash === null || now.plan.flash.form === wish.flash) return now;
    }
  }

  #choice(plan: Plan, occasion: Occasion, answer: Answer | null): Promise<PlanWish | null> {
    return this.#until((resolve) => {
      this.#surface.progress('explain', 0);
      this.#surface.show(openingScreen(this.#settings, plan, occasion, answer?.guidance ?? [],
        answer?.attempts_left ?? null, this.#wish, resolve));
    });
  }

  /** Another plan, or the end; null where this cannot be left out here: the person is told, and chooses again. */
  async #otherPlan(wish: PlanWish, token: string): Promise<Ticket | Outcome | null> {
    this.#surface.show(waitingScreen(this.#settings, 'planning', null, 'steps'));
    const given = await this.#client.plan(wish, token, this.#signal).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'exclusion_refused') return error;
      throw error;
    });
    if (given instanceof Problem) {
      await this.#acknowledged(given);
      return null;
    }
    if (given.answer === 'done') {
      return this.#finish('done', {request_id: given.request_id, guidance: ['wait_for_review']});
    }
    return {token, plan: this.#read(given.plan)};
  }

  /** The capture file; null when the person went back. */
  async #capture(plan: Plan): Promise<Blob | null> {
    try {
      return await this.#helped(async () => {
        this.#surface.show(waitingScreen(this.#settings, 'asking_title', 'asking_text', 'camera'));
        this.#surface.progress('permission', 0);
        const stage = new Stage(this.#settings.speak);
        this.#surface.stage(stage);
        return await new Capture(stage, plan, {
          speak: this.#settings.speak, deviceId: this.#deviceId, onCamera: (id) => (this.#deviceId = id),
          onProgress: (phase, share) => this.#surface.progress(phase, share),
        }, this.#signal).run();
      });
    } catch (error) {
      if (error instanceof Cancelled) return null;
      throw error;
    }
  }

  #send(file: Blob, token: string): Promise<Answer> {
    return this.#helped(async () => {
      const screen = sendingScreen(this.#settings);
      this.#surface.show(screen);
      return this.#client.send(file, token, (share, waiting) => {
        screen.update(share, waiting);
        this.#surface.progress('send', share);
      }, this.#signal);
    });
  }

  #finish(answer: 'pass' | 'done', from: {request_id: string; guidance: string[]}): Outcome {
    this.#surface.show(finishedScreen(this.#settings, answer, from.guidance));
    return {answer, request_id: from.request_id, guidance: from.guidance, attempts: this.#attempts};
  }

  /** Does a piece of work as often as the person wants to try it; shows each problem with its way out. */
  async #helped<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Cancelled || this.#signal.aborted) throw error;
        await this.#acknowledged(problemOf(error));
      }
    }
  }

  /** Shows a problem until the person goes on or it is gone. Throws it when nobody can. */
  async #acknowledged(problem: Problem): Promise<void> {
    const final = !canRetry(problem.code);
    this.#surface.problem(problem, final);
    await this.#until<void>((resolve) => {
      this.#surface.show(problemScreen(this.#settings, problem, resolve));
      if (final) throw problem;
      return whenItMayWork(problem.code, resolve);
    });
  }

  /** A promise that the end of the journey breaks. `begin` may return how to clean up. */
  #until<T>(begin: (resolve: (value: T) => void) => (() => void) | void): Promise<T> {
    let clean: (() => void) | void;
    return new Promise<T>((resolve, reject) => {
      const fail = (): void => reject(this.#signal.reason as Error);
      if (this.#signal.aborted) fail();
      this.#signal.addEventListener('abort', fail, {once: true});
      clean = begin(resolve);
    }).finally(() => clean?.());
  }
}

