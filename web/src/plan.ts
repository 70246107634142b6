/** The plan of one capture as the server sends it: what is asked, when, and how frames are to be taken. */

export const STEP_TYPES = [
  'hold_still', 'turn_left', 'turn_right', 'look_up', 'look_down', 'move_closer', 'blink', 'smile', 'open_mouth',
] as const;
export type StepType = (typeof STEP_TYPES)[number];

/** Asked from `from_ms` until `until_ms` after the start of the capture. Left and right are the person's own. */
export interface Step {
  type: StepType;
  from_ms: number;
  until_ms: number;
}

export type FlashForm = 'full' | 'gentle';

/** Colour i is shown from `from_ms + i * each_ms` on, for `each_ms`. */
export interface Flash {
  form: FlashForm;
  colours: string[];
  from_ms: number;
  each_ms: number;
}

export interface FramesWish {
  per_second: number;
  width: number;
  height: number;
  jpeg_quality: number;
  frames_max: number;
}

export interface Plan {
  nonce: string;
  attempt: number;
  duration_ms: number;
  steps: Step[];
  flash: Flash | null;
  frames: FramesWish;
  bytes_max: number;
}

/** What a person can ask of the next plan. */
export interface PlanWish {
  exclude: StepType[];
  flash: 'none' | FlashForm;
  pace: 'normal' | 'relaxed';
}

const DURATION_MS_MAX = 60_000;
const STEPS_MAX = 6;
const COLOURS_MAX = 8;
/** Faster changes than three a second are never shown, whatever the plan says. */
const FLASH_EACH_MS_MIN = 334;
const PASSIVE_MS = 1200;
/** What a capture file may hold (BF_CAPTURE_FRAMES_MAX of the server). */
const FRAMES_MAX = 400;
const BYTES_MAX = 2_400_000;

function numberOf(value: unknown, low: number, high: number, otherwise?: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    if (otherwise === undefined) throw new TypeError('The plan lacks a number.');
    return otherwise;
  }
  return Math.min(high, Math.max(low, value));
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('The plan is no object.');
  }
  return value as Record<string, unknown>;
}

function readSteps(value: unknown, duration: number): Step[] {
  const steps: Step[] = [];
  let before = 0;
  for (const entry of Array.isArray(value) ? value.slice(0, STEPS_MAX) : []) {
    const step = objectOf(entry);
    const type = step['type'] as StepType;
    const from = numberOf(step['from_ms'], before, duration);
    const until = numberOf(step['until_ms'], from, duration);
    if (!STEP_TYPES.includes(type)) throw new TypeError('The plan has a step that is not known here.');
    steps.push({type, from_ms: from, until_ms: until});
    before = until;
  }
  if (steps.length === 0) steps.push({type: 'hold_still', from_ms: 0, until_ms: duration});
  return steps;
}

function readFlash(value: unknown, duration: number): Flash | null {
  if (value === null || value === undefined) return null;
  const flash = objectOf(value);
  const colours = (Array.isArray(flash['colours']) ? flash['colours'] : []).slice(0, COLOURS_MAX) as unknown[];
  if (flash['form'] === 'none' || colours.length === 0) return null;
  if (!colours.every((colour) => typeof colour === 'string' && /^#[0-9a-f]{6}$/i.test(colour))) {
    throw new TypeError('The plan has a colour that is none.');
  }
  const each = numberOf(flash['each_ms'], FLASH_EACH_MS_MIN, duration);
  return {
    form: flash['form'] === 'gentle' ? 'gentle' : 'full',
    colours: colours as string[],
    from_ms: numberOf(flash['from_ms'], 0, duration),
    each_ms: each,
  };
}

function readFrames(value: unknown, passive: boolean): FramesWish {
  const frames = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  return {
    per_second: numberOf(frames['per_second'], 1, 30, passive ? 8 : 10),
    width: numberOf(frames['width'], 160, 1920, 640),
    height: numberOf(frames['height'], 120, 1920, 480),
    jpeg_quality: numberOf(frames['jpeg_quality'], 0.4, 0.95, passive ? 0.85 : 0.75),
    frames_max: numberOf(frames['frames_max'], 1, FRAMES_MAX, 120),
  };
}

/** Reads a plan strictly enough that nothing in it can surprise the person: unknown steps, colours that are none and
 * flicker are not carried out. Throws TypeError. */
export function readPlan(value: unknown): Plan {
  const plan = objectOf(value);
  if (typeof plan['nonce'] !== 'string' || !/^[0-9A-Za-z_-]{1,128}$/.test(plan['nonce'])) {
    throw new TypeError('The plan has no nonce.');
  }
  const duration = numberOf(plan['duration_ms'], 300, DURATION_MS_MAX, PASSIVE_MS);
  const steps = readSteps(plan['steps'], duration);
  const flash = readFlash(plan['flash'], duration);
  return {
    nonce: plan['nonce'],
    attempt: numberOf(plan['attempt'], 1, 1000, 1),
    duration_ms: duration,
    steps,
    flash,
    frames: readFrames(plan['frames'], steps.length <= 1 && !flash),
    bytes_max: numberOf(plan['bytes_max'], 1000, 64_000_000, BYTES_MAX),
  };
}

/** Whether more is asked than to look into the camera. */
export function isActive(plan: Plan): boolean {
  return plan.flash !== null || plan.steps.length > 1;
}

/** The step asked at a moment; null in a gap. */
export function stepAt(plan: Plan, ms: number): Step | null {
  return plan.steps.find((step) => ms >= step.from_ms && ms < step.until_ms) ?? null;
}

/** The colour shown at a moment; null when there is none. */
export function colourAt(plan: Plan, ms: number): string | null {
  if (!plan.flash || ms < plan.flash.from_ms) return null;
  return plan.flash.colours[Math.floor((ms - plan.flash.from_ms) / plan.flash.each_ms)] ?? null;
}

/** Bytes that all frames together may take: the server's limit, and what a slow connection can carry. */
export function frameBudget(plan: Plan): number {
  return Math.min(plan.bytes_max * 0.95, BYTES_MAX) - 20_000;
}
