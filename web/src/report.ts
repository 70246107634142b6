/** What the client reports about itself beside the frames (docs/reference/capture.md). Facts, no judgement: what they
 * mean is the server's business, and a client that lies is expected. */

import type {Camera} from './camera.ts';
import {REQUESTED} from './camera.ts';

export const SDK = 'bonafide-web/0.1.0';

const TEXT_MAX = 512;
const LIST_MAX = 16;

export interface Timing {
  frames_dropped: number;
  hidden_ms: number;
  rotations: number;
  clock_drift_ms: number;
}

function text(value: unknown): string {
  return String(value ?? '').slice(0, TEXT_MAX);
}

function looksNative(owner: object | undefined, name: string): boolean {
  const found: unknown = owner ? (owner as Record<string, unknown>)[name] : undefined;
  if (typeof found !== 'function') return false;
  // The real ones stand in the prototype.
  const own = owner === navigator.mediaDevices && Object.hasOwn(owner as object, name);
  return !own && /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(found));
}

/** Capabilities as plain numbers, words and ranges, and not many of them. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'string') return text(value);
  if (depth > 2) return null;
  if (Array.isArray(value)) return value.slice(0, LIST_MAX).map((entry) => plain(entry, depth + 1));
  if (typeof value !== 'object') return null;
  const entries = Object.entries(value).slice(0, 2 * LIST_MAX)
    // They name the device across sites, and say nothing about the capture.
    .filter(([key]) => key !== 'deviceId' && key !== 'groupId');
  return Object.fromEntries(entries.map(([key, entry]) => [text(key), plain(entry, depth + 1)]));
}

export interface Natives {
  get_user_media_native: boolean;
  enumerate_devices_native: boolean;
  canvas_native: boolean;
}

/** Which of the calls that a capture rests on are the browser's own just now. */
export function natives(): Natives {
  return {
    get_user_media_native: looksNative(navigator.mediaDevices, 'getUserMedia'),
    enumerate_devices_native: looksNative(navigator.mediaDevices, 'enumerateDevices'),
    canvas_native: looksNative(HTMLCanvasElement.prototype, 'toBlob') &&
      looksNative(CanvasRenderingContext2D.prototype, 'drawImage'),
  };
}

function platformName(): string {
  const data = (navigator as unknown as {userAgentData?: {platform?: string}}).userAgentData;
  return text(data?.platform || navigator.platform);
}

function describeCamera(camera: Camera): object {
  const settings = camera.track.getSettings();
  const capabilities = camera.track.getCapabilities?.() ?? null;
  return {
    label: text(camera.track.label),
    device_count: camera.deviceCount,
    facing: settings.facingMode ?? null,
    settings: {width: settings.width ?? null, height: settings.height ?? null, frame_rate: settings.frameRate ?? null},
    capabilities: plain(capabilities),
    requested: REQUESTED,
  };
}

/** `before`: what was native when the camera opened. A replacement may be gone since: WebKit forgets what a page hung
 * on `mediaDevices`, and whoever replaced a call can put it back. */
export function clientReport(camera: Camera, before: Natives, timing: Timing, language: string): object {
  const now = natives();
  return {
    sdk: SDK,
    user_agent: text(navigator.userAgent),
    platform: platformName(),
    language,
    screen: {width: screen.width, height: screen.height, pixel_ratio: window.devicePixelRatio},
    touch_points: navigator.maxTouchPoints ?? 0,
    webdriver: navigator.webdriver === true,
    capture: 'camera',
    camera: describeCamera(camera),
    tamper: {
      get_user_media_native: before.get_user_media_native && now.get_user_media_native,
      enumerate_devices_native: before.enumerate_devices_native && now.enumerate_devices_native,
      canvas_native: before.canvas_native && now.canvas_native,
    },
    timing,
    mirrored: false,
  };
}
