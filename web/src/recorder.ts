/** Takes frames from a playing video at the plan's rate, with the time at which each was taken, within a budget of
 * bytes. Holds nothing but the encoded frames, and those only until they are taken away. */

import type {Frame, Shown} from './file.ts';
import {frameBudget, type Plan} from './plan.ts';

/** Frames that may wait for the encoder; more would mean that the device cannot keep up. */
const PENDING_MAX = 4;
const QUALITY_MIN = 0.4;
/** A frame time older than this is no time of this capture. */
const DELAY_MS_MAX = 500;

interface Slot {
  ms: number;
  jpeg: Blob | null;
}

export class Recorder {
  readonly shown: Shown[] = [];
  dropped = 0;
  #video: HTMLVideoElement;
  #plan: Plan;
  #canvas = document.createElement('canvas');
  #slots: Slot[] = [];
  #start = 0;
  #startWall = 0;
  #due = 0;
  #bytes = 0;
  #quality: number;
  #gap: number;
  #pending = new Set<Promise<void>>();
  #running = false;
  #handle = 0;

  constructor(video: HTMLVideoElement, plan: Plan) {
    this.#video = video;
    this.#plan = plan;
    this.#quality = plan.frames.jpeg_quality;
    this.#gap = 1000 / plan.frames.per_second;
    // The size of all frames is settled by the first: long side at most as wished, never scaled up.
    const long = Math.max(video.videoWidth, video.videoHeight, 1);
    const scale = Math.min(1, Math.max(plan.frames.width, plan.frames.height) / long);
    this.#canvas.width = Math.max(2, Math.round(video.videoWidth * scale));
    this.#canvas.height = Math.max(2, Math.round(video.videoHeight * scale));
  }

  /** Begins; the capture's time counts from now. */
  start(): void {
    this.#start = performance.now();
    this.#startWall = Date.now();
    this.#running = true;
    this.#wait();
  }

  get ms(): number {
    return performance.now() - this.#start;
  }

  /** By how much the two clocks of the browser went apart since the start. */
  get drift(): number {
    return Math.round((Date.now() - this.#startWall - this.ms) * 10) / 10;
  }

  /** Notes what the screen shows from now on. */
  show(what: string): void {
    this.shown.push({what, ms: Math.max(0, this.ms)});
  }

  /** Ends, waits for the encoder, and gives the frames away. */
  async stop(): Promise<Frame[]> {
    this.#halt();
    await Promise.all(this.#pending);
    const frames: Frame[] = [];
    for (const slot of this.#slots) {
      if (slot.jpeg) frames.push({jpeg: slot.jpeg, ms: slot.ms});
    }
    this.discard();
    return frames;
  }

  /** Ends and forgets. */
  discard(): void {
    this.#halt();
    this.#slots = [];
    this.#canvas.width = this.#canvas.height = 1;
  }

  #halt(): void {
    this.#running = false;
    if ('cancelVideoFrameCallback' in this.#video) this.#video.cancelVideoFrameCallback(this.#handle);
    else cancelAnimationFrame(this.#handle);
  }

  #wait(): void {
    if (!this.#running) return;
    if ('requestVideoFrameCallback' in this.#video) {
      this.#handle = this.#video.requestVideoFrameCallback((now, facts) => {
        const taken = facts.captureTime ?? now;
        this.#see(taken > now || now - taken > DELAY_MS_MAX ? now : taken);
        this.#wait();
      });
    } else {
      this.#handle = requestAnimationFrame((now) => {
        this.#see(now);
        this.#wait();
      });
    }
  }

  #see(taken: number): void {
    const ms = taken - this.#start;
    const last = this.#slots.at(-1)?.ms ?? 0;
    const gap = this.#gap;
    // A camera's rate is rarely a multiple of the wished one: a frame that is a little early will do.
    if (ms < 0 || ms < last || ms + gap / 8 < this.#due || ms > this.#plan.duration_ms + gap) return;
    this.#due = Math.max(this.#due + gap, ms + gap / 2);
    if (this.#slots.length >= this.#plan.frames.frames_max || this.#pending.size >= PENDING_MAX ||
        this.#bytes >= frameBudget(this.#plan)) {
      this.dropped++;
      return;
    }
    this.#take(ms);
  }

  #take(ms: number): void {
    const context = this.#canvas.getContext('2d', {alpha: false});
    if (!context) return;
    context.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const slot: Slot = {ms, jpeg: null};
    this.#slots.push(slot);
    const done = new Promise<void>((resolve) => {
      this.#canvas.toBlob((jpeg) => {
        this.#keep(slot, jpeg);
        resolve();
      }, 'image/jpeg', this.#quality);
    });
    this.#pending.add(done);
    void done.then(() => this.#pending.delete(done));
  }

  #keep(slot: Slot, jpeg: Blob | null): void {
    if (!jpeg || this.#bytes + jpeg.size > frameBudget(this.#plan)) {
      this.dropped++;
      return;
    }
    slot.jpeg = jpeg;
    this.#bytes += jpeg.size;
    this.#economise(slot.ms, jpeg.size);
  }

  /** Chooses quality, and when that is not enough the distance of frames, so that what is left of the budget lasts to
   * the end: what is asked last matters as much as what is asked first. */
  #economise(ms: number, size: number): void {
    const {per_second: rate, jpeg_quality: wished} = this.#plan.frames;
    const leftMs = Math.max(1, this.#plan.duration_ms - ms);
    const leftBytes = frameBudget(this.#plan) - this.#bytes;
    const each = leftBytes / Math.max(1, leftMs * rate / 1000);
    if (size > each) this.#quality = Math.max(QUALITY_MIN, this.#quality - 0.05);
    else if (size < each * 0.8) this.#quality = Math.min(wished, this.#quality + 0.02);
    const lasting = this.#quality > QUALITY_MIN ? 0 : leftMs * size / Math.max(1, leftBytes);
    this.#gap = Math.max(1000 / rate, lasting);
  }
}
