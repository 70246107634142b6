/** Light checks of the preview: enough to help a person before the capture, never a verdict. No model: brightness,
 * contrast, sharpness, motion, and how large the skin-coloured region within the oval is. */

import type {Guidance} from './generated/codes.ts';

/** What one look at a small picture found. Shares are of the oval, luma is 0..255. */
export interface Look {
  luma: number;
  contrast: number;
  sharpness: number;
  motion: number;
  bright: number;
  skin: number;
  skinHeight: number;
  grey: Float32Array;
}

/** A face found by the browser's own detector, in shares of the picture. */
export interface FaceBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Hint = Guidance | 'uncover_camera' | 'ready';

export const LOOK_WIDTH = 96;
export const LOOK_HEIGHT = 72;

/** The oval in shares of the picture's height, around its middle. */
const OVAL_X = 0.30;
const OVAL_Y = 0.42;

function isSkin(red: number, green: number, blue: number): boolean {
  // Skin of every tone keeps to a narrow band of chroma; only how bright it is differs.
  const cb = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
  const cr = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
  return cb > 77 && cb < 127 && cr > 135 && cr < 175 && red > 30;
}

function toGrey(rgba: Uint8ClampedArray, count: number): Float32Array {
  const grey = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    grey[i] = 0.299 * (rgba[4 * i] ?? 0) + 0.587 * (rgba[4 * i + 1] ?? 0) + 0.114 * (rgba[4 * i + 2] ?? 0);
  }
  return grey;
}

/** Sums over the pixels of the oval. */
class Sums {
  count = 0;
  luma = 0;
  square = 0;
  edge = 0;
  motion = 0;
  bright = 0;
  skin = 0;
  readonly rows: number[];

  constructor(height: number) {
    this.rows = new Array<number>(height).fill(0);
  }

  add(grey: Float32Array, at: number, width: number, before: Float32Array | null): void {
    const here = grey[at] ?? 0;
    const around = (grey[at - 1] ?? here) + (grey[at + 1] ?? here) + (grey[at - width] ?? here) +
      (grey[at + width] ?? here);
    this.count++;
    this.luma += here;
    this.square += here * here;
    this.edge += Math.abs(4 * here - around);
    this.motion += before ? Math.abs(here - (before[at] ?? here)) : 0;
    this.bright += here > 245 ? 1 : 0;
  }
}

/** Looks at a picture of `width` x `height`; `before` is the grey of the look before, for motion. */
export function look(rgba: Uint8ClampedArray, width: number, height: number, before: Float32Array | null): Look {
  const grey = toGrey(rgba, width * height);
  const sums = new Sums(height);
  for (let y = 0; y < height; y++) {
    const dy = (y + 0.5 - height / 2) / (OVAL_Y * height);
    for (let x = 0; x < width; x++) {
      const dx = (x + 0.5 - width / 2) / (OVAL_X * height);
      if (dx * dx + dy * dy > 1) continue;
      const at = y * width + x;
      sums.add(grey, at, width, before);
      if (isSkin(rgba[4 * at] ?? 0, rgba[4 * at + 1] ?? 0, rgba[4 * at + 2] ?? 0)) {
        sums.skin++;
        sums.rows[y] = (sums.rows[y] ?? 0) + 1;
      }
    }
  }
  const count = Math.max(1, sums.count);
  const luma = sums.luma / count;
  const wide = OVAL_X * height * 0.4;
  return {
    luma, grey, contrast: Math.sqrt(Math.max(0, sums.square / count - luma * luma)), sharpness: sums.edge / count,
    motion: sums.motion / count, bright: sums.bright / count, skin: sums.skin / count,
    skinHeight: sums.rows.filter((skin) => skin > wide).length / height,
  };
}

function hintOfFace(face: FaceBox): Hint {
  if (face.height < 0.3) return 'move_closer';
  if (face.height > 0.8) return 'move_back';
  const off = Math.hypot(face.x + face.width / 2 - 0.5, (face.y + face.height / 2 - 0.5) * 0.8);
  return off > 0.16 ? 'centre_face' : 'ready';
}

/** What would help most just now. `face`: where the browser's own detector found one. */
export function hintOf(seen: Look, face?: FaceBox): Hint {
  if (seen.luma < 14 && seen.contrast < 8) return 'uncover_camera';
  if (seen.luma < 55) return 'find_more_light';
  if (seen.bright > 0.35 || seen.luma > 225) return 'reduce_light';
  const placed = face ? hintOfFace(face) : hintOfSkin(seen);
  if (placed !== 'ready') return placed;
  if (seen.motion > 16) return 'hold_still';
  return 'ready';
}

function hintOfSkin(seen: Look): Hint {
  if (seen.skin < 0.02) return 'show_face';
  if (seen.skinHeight < 0.22) return 'move_closer';
  return 'ready';
}
