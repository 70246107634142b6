/** Notices what must not happen while the camera runs: the page goes out of sight, the device is turned, the camera
 * goes away or pauses. The first of them rejects `broken`. */

import {Problem, type ProblemCode} from './problem.ts';

export class Watch {
  /** Rejects with the first Problem; never resolves. */
  readonly broken: Promise<never>;
  rotations = 0;
  #fail: (problem: Problem) => void = () => undefined;
  #off = new AbortController();
  #strict = false;
  #size = '';

  constructor(track: MediaStreamTrack, video: HTMLVideoElement) {
    this.broken = new Promise((_, reject) => (this.#fail = reject));
    this.broken.catch(() => undefined); // Heard of by whoever waits just then, or by nobody.
    const signal = this.#off.signal;
    const fail = (code: ProblemCode): void => this.#fail(new Problem(code));
    track.addEventListener('ended', () => fail('camera_lost'), {signal});
    track.addEventListener('mute', () => !document.hidden && fail('camera_paused'), {signal});
    document.addEventListener('visibilitychange', () => document.hidden && fail('hidden'), {signal});
    video.addEventListener('resize', () => this.#seeSize(video), {signal});
    if (document.hidden) fail('hidden');
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

  #seeSize(video: HTMLVideoElement): void {
    const size = `${video.videoWidth}x${video.videoHeight}`;
    if (this.#size && size !== this.#size) {
      this.rotations++;
      if (this.#strict) this.#fail(new Problem('rotated'));
    }
    this.#size = size;
  }
}
