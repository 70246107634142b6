/** Notices what must not happen while the camera runs: the page goes out of sight, the device is turned, the camera
 * goes away or pauses. The first of them rejects `broken`; what was counted goes into the client report. */

import {Problem, type ProblemCode} from './problem.ts';

export class Watch {
  /** Rejects with the first Problem; never resolves. */
  readonly broken: Promise<never>;
  hiddenMs = 0;
  rotations = 0;
  #fail: (problem: Problem) => void = () => undefined;
  #off = new AbortController();
  #hiddenSince = 0;
  #strict = false;
  #size = '';

  constructor(track: MediaStreamTrack, video: HTMLVideoElement) {
    this.broken = new Promise((_, reject) => (this.#fail = reject));
    this.broken.catch(() => undefined); // Heard of by whoever waits just then, or by nobody.
    const signal = this.#off.signal;
    const fail = (code: ProblemCode): void => this.#fail(new Problem(code));
    track.addEventListener('ended', () => fail('camera_lost'), {signal});
    track.addEventListener('mute', () => !document.hidden && fail('camera_paused'), {signal});
    document.addEventListener('visibilitychange', () => this.#seeVisibility(), {signal});
    video.addEventListener('resize', () => this.#seeSize(video), {signal});
    if (document.hidden) this.#seeVisibility();
    if (track.readyState === 'ended') fail('camera_lost');
  }

  /** From now on a change of the picture's size breaks the capture; before, it is only counted. */
  holdSize(video: HTMLVideoElement): void {
    this.#strict = true;
    this.#size = `${video.videoWidth}x${video.videoHeight}`;
  }

  stop(): void {
    this.#off.abort();
  }

  #seeVisibility(): void {
    if (document.hidden) {
      this.#hiddenSince = performance.now();
      this.#fail(new Problem('hidden'));
    } else if (this.#hiddenSince > 0) {
      this.hiddenMs += performance.now() - this.#hiddenSince;
      this.#hiddenSince = 0;
    }
  }

  #seeSize(video: HTMLVideoElement): void {
    const size = `${video.videoWidth}x${video.videoHeight}`;
    if (this.#size && size !== this.#size) {
      this.rotations++;
      if (this.#strict) this.#fail(new Problem('rotated'));
    }
    this.#size = size;
  }
}
