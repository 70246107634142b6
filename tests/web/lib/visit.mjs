/** A visit to a page with the element in it, before a stand-in for the server; and what visitors do and look for. */

import assert from 'node:assert/strict';
import path from 'node:path';
import {axe, embed, launch, open, shoot, until} from './browser.mjs';
import {StandIn, plan} from './stand_in.mjs';

/** A clip by its name, or by its whole path. */
const clip = (name) => path.isAbsolute(name) ? name : path.join(process.env.BONAFIDE_CLIPS, `${name}.y4m`);
export const IDS = {session: 's1', token: 'bft_1'};

export const FILES = {'/capture/': process.env.BONAFIDE_WEB, '/page/': new URL('../page', import.meta.url).pathname};
/** What the report would bring about if the page did something else than it should. */
export const MISTAKES = [
  'plan_not_shown', 'shown_at_other_times', 'duration_mismatch', 'malformed_report', 'no_client_report',
  'foreign_client', 'stale_challenge', 'challenge_unnamed', 'frames_not_from_page', 'encoder_mismatch', 'mirrored',
  'frame_size_mismatch', 'size_changed', 'get_user_media_replaced', 'canvas_replaced', 'enumerate_devices_replaced',
  'impossible_screen', 'platform_mismatch', 'settings_beyond_capabilities', 'clock_drift', 'page_hidden',
  'frames_too_fast',
];
const browsers = new Map();

export async function browserWith(name, flags = []) {
  const key = [name, ...flags].join(' ');
  if (!browsers.has(key)) browsers.set(key, launch(name && clip(name), flags));
  return (await browsers.get(key)).browser;
}

/** A page with the element in it; afterwards nothing may have gone wrong in it. */
export async function visit(work, options = {}) {
  const {camera = 'live', flags = [], attributes = IDS, wanted = plan(), before, ...asked} = options;
  const browser = await browserWith(camera, flags);
  const server = await new StandIn(FILES).start();
  const {page, context, errors} = await open(browser, `${server.url}/page/`, asked);
  try {
    if (before) await before(page, context);
    await embed(page, attributes, wanted);
    await work(page, server, context);
    assert.deepEqual(await page.evaluate(() => window.violations), [], 'violations of the policy');
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    server.stop();
  }
}

export const main = (page) => page.locator('bonafide-capture .card .button.main');
export const title = (page) => page.locator('bonafide-capture h2');
export const stage = (page) => page.locator('bonafide-capture .stage[open]');

export async function begin(page) {
  await main(page).click();
  await stage(page).waitFor();
}

export async function startNow(page) {
  await page.locator('bonafide-capture .stage[open] .button.main').click({timeout: 10_000}).catch(() => undefined);
}

/** What a post holds: header and frames. */
export function unpack(body) {
  assert.equal(body.subarray(0, 8).toString(), 'BFCAPT1\n');
  const size = body.readUInt32LE(8);
  const header = JSON.parse(body.subarray(12, 12 + size).toString());
  let at = 12 + size;
  const frames = header.frames.map(({bytes}) => body.subarray(at, at += bytes));
  assert.equal(at, body.length, 'nothing behind the last frame');
  for (const frame of frames) assert.equal(frame.readUInt16BE(0), 0xffd8, 'a JPEG');
  return {header, frames};
}

export async function problemShown(page, code, {first = false, ms = 20_000} = {}) {
  const event = await until(page, 'error', ms);
  assert.equal(event.code, code);
  await page.locator('bonafide-capture .badge.care').waitFor();
  const focused = await title(page).evaluate((node) => node === node.getRootNode().activeElement);
  assert.equal(focused, !first, 'focus on the title');
  await shoot(page, `problem-${code}`);
  assert.deepEqual(await axe(page), []);
  return event;
}

/** Counts camera tracks that still run. */
export function countTracks(page) {
  return page.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const getUserMedia = devices.getUserMedia.bind(devices);
    window.tracks = [];
    devices.getUserMedia = async (wish) => {
      const stream = await getUserMedia(wish);
      window.tracks.push(...stream.getTracks());
      return stream;
    };
  }).then(() => page.reload());
}

export const live = (page) => page.evaluate(() => window.tracks.filter((track) => track.readyState === 'live').length);

export async function closeBrowsers() {
  for (const started of browsers.values()) await (await started).close();
}
