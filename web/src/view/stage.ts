/** The stage: a dialog over everything with the mirror image in an oval, what to do in large letters, and the colours
 * of the flash around it. It only shows; Capture (../capture.ts) says what and when. */

import type {CameraChoice} from '../camera.ts';
import type {FlashForm, StepType} from '../plan.ts';
import type {Speaker} from '../texts/index.ts';
import {h, s} from './dom.ts';
import {sign, stepFigure} from './figures.ts';

const RING = 100;

export class Stage {
  readonly dialog: HTMLDialogElement;
  readonly video: HTMLVideoElement;
  onCancel: () => void = () => undefined;
  onStart: () => void = () => undefined;
  onCamera: (id: string) => void = () => undefined;
  readonly #speak: Speaker;
  readonly #prompt = h('p', {class: 'prompt-text', role: 'status', 'aria-live': 'assertive'});
  readonly #figure = h('div', {class: 'prompt-figure'});
  readonly #hint = h('p', {class: 'hint', part: 'hint', role: 'status', 'aria-live': 'polite'});
  readonly #ring = s('path', {
    class: 'ring-done', d: 'M50 1A49 65.7 0 0 1 50 132.4A49 65.7 0 0 1 50 1', pathLength: RING,
    'stroke-dasharray': RING, 'stroke-dashoffset': RING,
  });
  readonly #select = h('select', {part: 'camera-select'});
  readonly #cameras: HTMLElement;
  readonly #start: HTMLButtonElement;
  readonly #time = h('progress', {class: 'unseen', max: 1, value: 0});

  constructor(speak: Speaker) {
    this.#speak = speak;
    this.video = h('video', {playsinline: true, muted: true, 'aria-label': speak.say('preview_label'), part: 'video'});
    this.video.muted = true;
    this.video.disablePictureInPicture = true;
    this.#cameras = h('label', {class: 'cameras', hidden: true},
      h('span', {}, speak.say('camera_label')), this.#select);
    this.#start = h('button', {type: 'button', class: 'button main', part: 'button', hidden: true,
      click: () => this.onStart()},
      speak.say('start_now'));
    this.#select.addEventListener('change', () => this.onCamera(this.#select.value));
    this.#time.setAttribute('aria-label', speak.say('progress_label'));
    const about = {class: 'stage', part: 'stage', 'aria-label': speak.say('stage_label'), 'data-phase': 'wait',
      tabindex: '-1'};
    this.dialog = h('dialog', about,
      h('div', {class: 'stage-top'}, this.#cameras, this.#cancelButton()),
      h('div', {class: 'prompt', part: 'prompt'}, this.#figure, this.#prompt),
      this.#lens(),
      h('div', {class: 'stage-bottom'}, this.#hint, this.#start, this.#time));
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      this.onCancel();
    });
  }

  #cancelButton(): HTMLElement {
    const text = this.#speak.say('cancel');
    return h('button', {type: 'button', class: 'round', part: 'cancel', 'aria-label': text,
      click: () => this.onCancel()}, sign('close'));
  }

  #lens(): HTMLElement {
    return h('div', {class: 'lens', part: 'lens'},
      h('div', {class: 'window'}, this.video),
      s('svg', {class: 'ring', viewBox: '0 0 100 133.4', 'aria-hidden': 'true'},
        s('ellipse', {class: 'ring-all', cx: 50, cy: 66.7, rx: 49, ry: 65.7}), this.#ring));
  }

  /** The focus is on the whole: on the first button it would be where an impatient second press stops everything. */
  open(): void {
    if (this.dialog.open) return;
    this.dialog.showModal();
    this.dialog.focus();
  }

  /** Also forgets the picture. A dialog that is closed would give the focus back to a screen that is over. */
  close(): void {
    this.video.srcObject = null;
    this.dialog.remove();
  }

  /** `wait`: the camera starts; `place`: the person finds the right place; `ready`; `run`: the capture. */
  phase(name: 'wait' | 'place' | 'ready' | 'run'): void {
    this.dialog.dataset['phase'] = name;
    const hidden = name === 'run' || name === 'wait';
    const appears = this.#start.hidden && !hidden;
    this.#start.hidden = hidden;
    if (appears) this.#start.focus();
    else if (name === 'run') this.dialog.focus();
    this.#cameras.hidden = name === 'run' || this.#select.options.length < 2;
  }

  /** Large letters, and the drawing that goes with a step. */
  say(text: string, figure: StepType | null = null): void {
    if (this.#prompt.textContent === text && this.dialog.dataset['figure'] === (figure ?? 'none')) return;
    this.#prompt.textContent = text;
    this.dialog.dataset['figure'] = figure ?? 'none';
    this.#figure.replaceChildren(...(figure ? [stepFigure(figure)] : []));
  }

  hint(text: string, good: boolean): void {
    this.dialog.toggleAttribute('data-good', good);
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
  }

  /** How much of the capture is over, as a share. */
  progress(share: number): void {
    const done = Math.min(1, Math.max(0, share));
    this.#ring.setAttribute('stroke-dashoffset', String(RING * (1 - done)));
    this.#time.value = done;
  }

  /** The room that the oval leaves for coming closer. */
  leaveRoom(room: boolean): void {
    this.dialog.toggleAttribute('data-room', room);
  }

  /** Lights the whole screen around the oval; null ends it. */
  flash(colour: string | null, form: FlashForm | null): void {
    this.dialog.toggleAttribute('data-flash', colour !== null);
    this.dialog.toggleAttribute('data-gentle', form === 'gentle');
    if (colour) this.dialog.style.setProperty('--flash', colour);
    else this.dialog.style.removeProperty('--flash');
  }

  cameras(list: readonly CameraChoice[], current: string): void {
    this.#select.replaceChildren(...list.map((camera, index) => {
      const option = h('option', {value: camera.id},
        camera.label || this.#speak.say('camera_number', {number: index + 1}));
      option.selected = camera.id === current;
      return option;
    }));
    this.#cameras.hidden = list.length < 2;
  }
}
