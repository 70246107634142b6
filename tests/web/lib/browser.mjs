/** Debian's browsers and the page with the element in it: chromium with a camera that plays a file, Firefox with one
 * that changes its colour. */

import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const CACHE = process.env.BONAFIDE_CACHE_DIR;
const {chromium, firefox} = await import(path.join(CACHE, 'web/node_modules/playwright-core/index.mjs'));

export const SHOTS = process.env.BONAFIDE_SHOTS;
export const AXE = path.join(CACHE, 'web/axe.min.js');
export const PHONE = {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true, isMobile: true};
export const DESKTOP = {viewport: {width: 1280, height: 800}};

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--no-first-run', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required',
];

/** Starts a browser with a home of its own. */
async function start(kind, options) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bonafide-browser-'));
  const browser = await kind.launch({headless: true, env: {...process.env, HOME: folder}, ...options});
  return {
    browser,
    async close() {
      await browser.close();
      await rm(folder, {recursive: true, force: true, maxRetries: 3});
    },
  };
}

/** Starts chromium, whose camera plays `clip` (Y4M or MJPEG; null: there is no camera). */
export function launch(clip, flags = []) {
  const camera = clip ? ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${clip}`] : [];
  return start(chromium, {
    executablePath: process.env.BONAFIDE_CHROMIUM ?? '/usr/bin/chromium', args: [...FLAGS, ...camera, ...flags],
  });
}

/** Starts Firefox; `preferences` as in about:config. */
export function launchFirefox(preferences) {
  return start(firefox, {
    // The channel makes playwright speak WebDriver BiDi, which unchanged Firefox understands.
    channel: 'moz-firefox', executablePath: process.env.BONAFIDE_FIREFOX ?? '/usr/bin/firefox-esr',
    firefoxUserPrefs: preferences,
  });
}

/** Makes a page remember violations of its policy, what its console complained of, and the element's events. */
export function remember() {
  window.violations = [];
  window.complaints = [];
  window.told = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
  for (const name of ['error', 'unhandledrejection']) {
    addEventListener(name, (event) => window.complaints.push(`${name}: ${event['message'] ?? event['reason']}`));
  }
  for (const name of ['error', 'warn']) {
    const real = console[name];
    console[name] = (...words) => {
      window.complaints.push(words.join(' '));
      real.apply(console, words);
    };
  }
  for (const name of ['result', 'error', 'progress']) {
    document.addEventListener(`bonafide-${name}`, (event) => window.told.push({name, ...event.detail}));
  }
}

/** A page that remembers what went wrong in it. */
export async function open(browser, url, {allow = true, ...options} = {}) {
  const context = await browser.newContext({...DESKTOP, locale: 'en-GB', ...options});
  if (allow) await context.grantPermissions(['camera'], {origin: new URL(url).origin});
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // Chromium reports each failed request itself; the tests that make them fail know.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) errors.push(message.text());
  });
  await page.addInitScript(remember);
  await page.goto(url);
  return {page, context, errors};
}

/** Puts an element into the page. */
export function embed(page, attributes, plan) {
  return page.evaluate(([attributes, plan]) => {
    const element = document.createElement('bonafide-capture');
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (plan) element.plan = plan;
    document.querySelector('#place').replaceChildren(element);
  }, [attributes, plan]);
}

/** What the element told, of one kind. */
export function told(page, name) {
  return page.evaluate((name) => window.told.filter((event) => event.name === name), name);
}

export async function until(page, name, ms = 30_000) {
  await page.waitForFunction((name) => window.told.some((event) => event.name === name), name, {timeout: ms});
  return (await told(page, name)).at(-1);
}

/** What axe finds against the page as it is now, the element's shadow included. Run past the page's own policy. */
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const {readFile} = await import('node:fs/promises');
  if (!await page.evaluate(() => 'axe' in window)) {
    await session.send('Runtime.evaluate', {expression: await readFile(AXE, 'utf8')});
  }
  const {result, exceptionDetails} = await session.send('Runtime.evaluate', {
    awaitPromise: true, returnByValue: true,
    expression: `axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
      'wcag22aa', 'best-practice']}).then(({violations}) => violations.map((found) =>
      found.id + ': ' + found.help + ' ' + found.nodes.map((node) => node.target.join(' ') + ' ' +
      node.any.concat(node.all).map((check) => check.message).join('; ')).join(' | ')))`,
  });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

/** Keeps a picture of the page for people to look at. */
export async function shoot(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, {recursive: true});
  // Hiding the caret would add a style to the page, which its policy forbids.
  await page.screenshot({path: path.join(SHOTS, `${name}.png`), timeout: 15_000, caret: 'initial'});
}
