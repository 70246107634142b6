/** Firefox and WebKit behind one call. Their cameras for tests show a test picture in which there is nobody; `showFace`
 * puts a photo in the camera's place, which the page notices and reports. */

import {launchFirefox, open, remember} from './browser.mjs';
import {launchWebKit} from './webkit.mjs';

export const NARROW = {width: 390, height: 844};
export const WIDE = {width: 1280, height: 800};
/** A name that leads to this machine and by which it is no secure place. */
const ELSEWHERE = 'capture.example';

const FAKE = {'media.navigator.streams.fake': true};
const ALLOWED = {...FAKE, 'media.navigator.permission.disabled': true};
const FIREFOX_CAMERAS = {
  test: ALLOWED, none: {}, denied: {...FAKE, 'permissions.default.camera': 2},
  noise: {...ALLOWED, 'privacy.resistFingerprinting': true},
};

/** Started once for each kind of camera and theme. */
const firefoxes = new Map();

async function firefoxPage(url, {camera, dark, size, insecure}) {
  const preferences = {...FIREFOX_CAMERAS[camera], 'ui.systemUsesDarkTheme': Number(dark),
    'network.dns.forceResolve': '127.0.0.1'};
  const key = JSON.stringify(preferences);
  if (!firefoxes.has(key)) firefoxes.set(key, launchFirefox(preferences));
  const {browser} = await firefoxes.get(key);
  const place = insecure ? url.replace('127.0.0.1', ELSEWHERE) : url;
  const options = {allow: false, viewport: size};
  const {page, context, errors} = await open(browser, place, options);
  return {page, errors, version: browser.version(), close: () => context.close()};
}

async function webkitPage(url, {camera, dark, size, insecure}) {
  const place = new URL(url);
  const started = await launchWebKit({camera: camera === 'test', dark, proxy: insecure ? place.host : ''});
  await started.page.setViewportSize(size);
  await started.page.goto(insecure ? `http://${ELSEWHERE}${place.pathname}` : url);
  await started.page.evaluate(remember);
  return {...started, errors: []};
}

const ENGINES = {firefox: firefoxPage, webkit: webkitPage};

/** `camera`: test, none, and in Firefox denied and noise (pictures that are kept from the page). */
export function openIn(engine, url, {camera = 'test', dark = false, size = NARROW, insecure = false} = {}) {
  return ENGINES[engine](url, {camera, dark, size, insecure});
}

export async function closeEngines() {
  for (const started of firefoxes.values()) await (await started).close();
}

/** Puts a photo that sways a little in the camera's place. */
export function showFace(page, photo) {
  return page.evaluate(async (photo) => {
    const image = new Image();
    image.src = photo;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [640, 480];
    const context = canvas.getContext('2d');
    const width = image.width * canvas.height / image.height;
    const draw = () => {
      const turn = performance.now() / 500;
      context.fillStyle = 'rgb(126, 133, 138)';
      context.fillRect(0, 0, canvas.width, canvas.height);
      const left = (canvas.width - width) / 2 + 2 * Math.sin(turn);
      context.drawImage(image, left, Math.sin(2 * turn), width, canvas.height);
    };
    draw();
    setInterval(draw, 40);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
  }, photo);
}
