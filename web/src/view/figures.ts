/** Drawings: a face that does what is asked, and a few signs. They are decoration; the text says the same. */

import type {StepType} from '../plan.ts';
import {h, s} from './dom.ts';

const ARROWS: Partial<Record<StepType, string>> = {
  turn_left: 'M12 44 0 60l12 16', turn_right: 'M108 44l12 16-12 16',
  look_up: 'M44 11 60-1l16 12', look_down: 'M44 121l16 12 16-12',
};

const CORNERS = 'M14 20H4V30M106 20h10v10M14 112H4v-10M106 112h10v-10';

function face(): SVGElement {
  return s('g', {class: 'fig-face'},
    s('g', {class: 'fig-eyes'},
      s('ellipse', {cx: 47, cy: 56, rx: 4, ry: 5}), s('ellipse', {cx: 73, cy: 56, rx: 4, ry: 5})),
    s('path', {class: 'fig-nose', d: 'M60 60v11h-5'}),
    s('path', {class: 'fig-mouth', d: 'M50 84q10 4 20 0'}),
    s('path', {class: 'fig-smile', d: 'M45 80q15 18 30 0z'}),
    s('ellipse', {class: 'fig-open', cx: 60, cy: 85, rx: 8, ry: 9}));
}

/** The face, carrying out a step over and over; still where motion is reduced. */
export function stepFigure(step: StepType): SVGSVGElement {
  const arrow = ARROWS[step];
  return s('svg', {class: 'figure', viewBox: '0 0 120 132', 'aria-hidden': 'true', 'data-step': step},
    s('g', {class: 'fig-head'}, s('ellipse', {class: 'fig-skull', cx: 60, cy: 66, rx: 34, ry: 43}), face()),
    arrow ? s('path', {class: 'fig-arrow', d: arrow}) : null,
    step === 'move_closer' ? s('path', {class: 'fig-arrow', d: CORNERS}) : null);
}

const SIGNS = {
  face: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9 10v.5M15 10v.5M8.5 14.5q3.5 3 7 0',
  light: 'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19' +
    'l1.4-1.4M17.6 6.4 19 5',
  level: 'M3 8h13v9H3zM16 11l5-3v9l-5-3M7 4h5',
  alone: 'M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21q0-8 8-8t8 8',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  camera: 'M3 8h13v9H3zM16 11l5-3v9l-5-3',
  check: 'M4 12.5 9.5 18 20 7',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5',
  steps: 'M5 12h13M13 6l6 6-6 6',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3q-1 .5-1 1.7M12 16.8v.2',
  send: 'M12 20V6M6 11l6-6 6 6',
  flash: 'M13 3 6 13h5l-1 8 8-11h-5z',
  close: 'M6 6l12 12M18 6 6 18',
  cloud: 'M3 3l18 18M8 8a5 5 0 0 0-1 9.9h10M12 6.2A6 6 0 0 1 18.5 11a3.5 3.5 0 0 1 1.7 5.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5l3.5 2',
} as const;
export type Sign = keyof typeof SIGNS;

export function sign(name: Sign): SVGSVGElement {
  return s('svg', {class: `sign ${name}`, viewBox: '0 0 24 24', 'aria-hidden': 'true'}, s('path', {d: SIGNS[name]}));
}

/** A sign in a disc, at the head of a screen. */
export function badge(name: Sign, tone: 'calm' | 'good' | 'care' = 'calm'): HTMLElement {
  return h('div', {class: `badge ${tone}`, part: 'badge'}, sign(name));
}
