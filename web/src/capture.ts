/** One capture: opens the camera, helps the person into the right place, carries out the plan, and gives the capture
 * file. Whatever way it ends, the camera is off and the frames are forgotten afterwards. */

import {after} from './after.ts';
import {closeCamera, listCameras, openCamera, type Camera} from './camera.ts';
import {captureFile} from './file.ts';
import {hintOf, look, LOOK_HEIGHT, LOOK_WIDTH, type FaceBox, type Hint} from './hints.ts';
import {colourAt, isActive, stepAt, type Plan} from './plan.ts';
import {Problem} from './problem.ts';
import {Recorder} from './recorder.ts';
import {clientReport, natives} from './report.ts';
import type {Speaker} from './texts/index.ts';
import {h} from './view/dom.ts';
import type {Stage} from './view/stage.ts';
import {Watch} from './watch.ts';

/** Thrown when the person stops the camera. */
export class Cancelled extends Error {}

const FIRST_FRAME_MS = 12_000;
const LOOK_EVERY_MS = 160;
/** A hint stays long enough to be read. */
const HINT_MS = 1200;
const READY_MS = 900;
const SAY_READY_MS = 900;
const MIN_FRAMES = 2;

interface FaceDetectorLike {
  detect(source: CanvasImageSource): Promise<{boundingBox: DOMRectReadOnly}[]>;
}

/** Finds faces where the browser can; undefined where it cannot. */
function browserDetector(): FaceDetectorLike | undefined {
  const found = (globalThis as {FaceDetector?: new (options: object) => FaceDetectorLike}).FaceDetector;
  try {
    return found ? new found({fastMode: true, maxDetectedFaces: 2}) : undefined;
  } catch {
    return undefined;
  }
}

export interface CaptureSettings {
  speak: Speaker;
  /** Of the camera that was chosen before. */
  deviceId: string | null;
  onCamera(id: string): void;
  onProgress(phase: string, share: number): void;
}

export class Capture {
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #settings: CaptureSettings;
  readonly #mine = new AbortController();
  readonly #signal = this.#mine.signal;
  readonly #detector = browserDetector();
  #camera: Camera | null = null;
  #natives = natives();
  #watch: Watch | null = null;
  #recorder: Recorder | null = null;
  #switchTo: string | null = null;
  #rotations = 0;

  constructor(stage: Stage, plan: Plan, settings: CaptureSettings, signal: AbortSignal) {
    this.#stage = stage;
    this.#plan = plan;
    this.#settings = settings;
    const end = (): void => this.#mine.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, {once: true});
  }

  /** The capture file. Throws Problem, Cancelled, or the signal's reason. */
  async run(): Promise<Blob> {
    let deviceId = this.#settings.deviceId;
    this.#stage.onCancel = () => this.#mine.abort(new Cancelled());
    try {
      for (;;) {
        this.#camera = await this.#open(deviceId);
        await this.#race(this.#place());
        if (this.#switchTo === null) break;
        // Another camera was chosen: the running one must be free before it opens.
        deviceId = this.#switchTo;
        this.#switchTo = null;
        this.#release();
        this.#settings.onCamera(deviceId);
      }
      return await this.#race(this.#carryOut());
    } finally {
      this.#recorder?.discard();
      this.#release();
      this.#stage.close();
    }
  }

  #release(): void {
    this.#rotations += this.#watch?.rotations ?? 0;
    this.#watch?.stop();
    this.#watch = null;
    closeCamera(this.#camera);
    this.#camera = null;
    this.#stage.video.srcObject = null;
  }

  /** Waits for a piece of work, but not longer than the camera and the person stay. */
  #race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    const aborted = new Promise<never>((_, reject) => {
      const fail = (): void => reject(this.#signal.reason as Error);
      if (this.#signal.aborted) fail();
      this.#signal.addEventListener('abort', fail);
    });
    aborted.catch(() => undefined);
    return Promise.race([work, aborted, ...(this.#watch ? [this.#watch.broken] : [])]);
  }

  async #open(deviceId: string | null): Promise<Camera> {
    const {video} = this.#stage;
    this.#natives = natives();
    const camera = await openCamera(deviceId);
    this.#camera = camera;
    this.#signal.throwIfAborted();
    this.#stage.phase('wait');
    this.#stage.open();
    this.#stage.say(this.#settings.speak.say('starting'));
    this.#stage.hint('', false);
    this.#stage.progress(0);
    this.#stage.leaveRoom(this.#plan.steps.some((step) => step.type === 'move_closer'));
    this.#watch = new Watch(camera.track, video);
    video.srcObject = camera.stream;
    await this.#race(this.#firstFrame(video));
    const list = await listCameras();
    this.#stage.cameras(list, camera.track.getSettings().deviceId ?? '');
    return camera;
  }

  async #firstFrame(video: HTMLVideoElement): Promise<void> {
    const end = performance.now() + FIRST_FRAME_MS;
    await video.play().catch(() => undefined); // Said below if no picture comes.
    while (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) {
      if (performance.now() > end) throw new Problem('busy', 'no picture came');
      await after(50, this.#signal);
    }
  }

  /** Until the picture is good for a moment, or the person says that it starts. */
  async #place(): Promise<void> {
    const {speak} = this.#settings;
    let started = false;
    let goodSince = 0;
    let hintSince = -HINT_MS;
    let shown: Hint | '' = '';
    let before: Float32Array | null = null;
    const canvas = h('canvas', {width: LOOK_WIDTH, height: LOOK_HEIGHT});
    this.#stage.onStart = () => (started = true);
    this.#stage.onCamera = (id) => (this.#switchTo = id);
    this.#stage.phase('place');
    this.#stage.say(speak.say('position'));
    this.#settings.onProgress('place', 0);
    while (!started && this.#switchTo === null) {
      const seen = this.#look(canvas, before);
      before = seen?.grey ?? null;
      const hint = seen ? hintOf(seen, await this.#face()) : 'show_face';
      const now = performance.now();
      goodSince = hint === 'ready' ? goodSince || now : 0;
      if (hint !== shown && now - hintSince > HINT_MS) {
        this.#stage.hint(this.#hintText(hint), hint === 'ready');
        this.#stage.phase(hint === 'ready' ? 'ready' : 'place');
        shown = hint;
        hintSince = now;
      }
      if (shown === 'ready' && goodSince > 0 && now - Math.max(goodSince, hintSince) > READY_MS) started = true;
      if (!started) await after(LOOK_EVERY_MS, this.#signal);
    }
  }

  #hintText(hint: Hint): string {
    const {speak} = this.#settings;
    if (hint === 'ready') return speak.say('ready');
    if (hint === 'uncover_camera') return speak.say('hint_uncover_camera');
    return speak.guidance(hint) ?? '';
  }

  #look(canvas: HTMLCanvasElement, before: Float32Array | null): ReturnType<typeof look> | null {
    const context = canvas.getContext('2d', {willReadFrequently: true});
    const {video} = this.#stage;
    if (!context || video.videoWidth === 0) return null;
    // The picture's middle in the form of the small canvas, whatever the camera's own form is.
    const width = Math.min(video.videoWidth, video.videoHeight * LOOK_WIDTH / LOOK_HEIGHT);
    const height = width * LOOK_HEIGHT / LOOK_WIDTH;
    context.drawImage(video, (video.videoWidth - width) / 2, (video.videoHeight - height) / 2, width, height,
      0, 0, LOOK_WIDTH, LOOK_HEIGHT);
    return look(context.getImageData(0, 0, LOOK_WIDTH, LOOK_HEIGHT).data, LOOK_WIDTH, LOOK_HEIGHT, before);
  }

  async #face(): Promise<FaceBox | undefined> {
    const {video} = this.#stage;
    try {
      const faces = await this.#detector?.detect(video);
      const box = faces?.[0]?.boundingBox;
      if (!faces || !box) return undefined; // It misses faces in bad light; the server does not.
      const {videoWidth: width, videoHeight: height} = video;
      return {x: box.x / width, y: box.y / height, width: box.width / width, height: box.height / height};
    } catch {
      return undefined;
    }
  }

  /** Shows what the plan asks at its times, and takes frames meanwhile. */
  async #carryOut(): Promise<Blob> {
    const {speak} = this.#settings;
    const stage = this.#stage;
    stage.phase('run');
    stage.hint('', true);
    if (isActive(this.#plan)) {
      stage.say(speak.say('get_ready'));
      await after(SAY_READY_MS, this.#signal);
    }
    this.#watch?.holdSize(stage.video);
    const recorder = new Recorder(stage.video, this.#plan);
    this.#recorder = recorder;
    recorder.start();
    await this.#perform(recorder);
    stage.flash(null, null);
    const drift = recorder.drift;
    const frames = await recorder.stop();
    if (frames.length < MIN_FRAMES || !this.#camera) throw new Problem('camera_failed', 'too few frames came');
    const client = clientReport(this.#camera, this.#natives, {
      frames_dropped: recorder.dropped, hidden_ms: 0, // Out of sight it would have ended.
      rotations: this.#rotations + (this.#watch?.rotations ?? 0), clock_drift_ms: drift,
    }, speak.language);
    return captureFile({nonce: this.#plan.nonce, frames, shown: recorder.shown, client});
  }

  /** One turn for each frame of the screen, until the plan is over. */
  #perform(recorder: Recorder): Promise<void> {
    const plan = this.#plan;
    const shown = {step: '', colour: ''};
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        const ms = recorder.ms;
        if (this.#signal.aborted) return reject(this.#signal.reason as Error);
        if (ms >= plan.duration_ms) return resolve();
        this.#showStep(recorder, ms, shown);
        this.#showColour(recorder, ms, shown);
        this.#stage.progress(ms / plan.duration_ms);
        this.#settings.onProgress('capture', ms / plan.duration_ms);
        requestAnimationFrame(turn);
      };
      requestAnimationFrame(turn);
    });
  }

  #showStep(recorder: Recorder, ms: number, shown: {step: string}): void {
    const step = stepAt(this.#plan, ms)?.type ?? null;
    if ((step ?? 'gap') === shown.step) return;
    shown.step = step ?? 'gap';
    const {speak} = this.#settings;
    if (step === null) {
      if (colourAt(this.#plan, ms) === null) this.#stage.say(speak.say('gap'), 'hold_still');
      return;
    }
    this.#stage.say(speak.say(`step_${step}`), step);
    if (step === 'move_closer') this.#stage.leaveRoom(false);
    if (step !== 'hold_still') navigator.vibrate?.(40);
    recorder.show(step);
  }

  #showColour(recorder: Recorder, ms: number, shown: {colour: string}): void {
    const flash = this.#plan.flash;
    const colour = colourAt(this.#plan, ms) ?? '';
    if (!flash || colour === shown.colour) return;
    this.#stage.flash(colour || null, flash.form);
    if (colour) {
      if (!shown.colour && stepAt(this.#plan, ms) === null) this.#stage.say(this.#settings.speak.say('flash_now'));
      recorder.show(colour);
    }
    shown.colour = colour;
  }
}
