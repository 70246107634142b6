/** The element in Firefox, and in WebKit, to whose family Safari belongs: what a browser does by itself and does
 * differently. What the page does in every browser alike is tested in chromium. */

import assert from 'node:assert/strict';
import {embed, shoot, told, until} from './lib/browser.mjs';
import {WIDE, closeEngines, openIn, showFace} from './lib/engines.mjs';
import {POLICY, StandIn, activePlan, plan} from './lib/stand_in.mjs';
import {run} from './lib/tap.mjs';
import {FILES, IDS, MISTAKES, begin, main, stage, startNow, title, unpack} from './lib/visit.mjs';

const ENGINE = process.env.BONAFIDE_ENGINE;
const URL_ = process.env.BONAFIDE_URL;
const PHOTO = '/photos/person-2.jpg';
/** Playwright puts `body {}` into a page of Firefox before it takes a picture. */
const PICTURES = "style-src 'self' 'sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA='";
const POLICY_HERE = POLICY.replace("connect-src 'self'", `connect-src 'self' ${URL_}`)
  .replace("style-src 'self'", ENGINE === 'firefox' ? PICTURES : "style-src 'self'");

const startServer = (port, policy = POLICY_HERE) =>
  new StandIn({...FILES, '/photos/': process.env.BONAFIDE_PHOTOS}, policy).start(port);
/** What the real server knows as the integrator's. */
const integrator = await startServer(Number(process.env.BONAFIDE_PORT));
const see = (page, name) => shoot(page, `${ENGINE}-${name}`);

/** A page with the element in it; afterwards nothing may have gone wrong in it. */
async function visit(work, options = {}) {
  const {face = false, attributes = IDS, wanted = PASSIVE, policy = POLICY_HERE, ...asked} = options;
  const server = attributes.server ? integrator : await startServer(0, policy);
  const {page, errors, close} = await openIn(ENGINE, `${server.url}/page/`, asked);
  try {
    if (face) await showFace(page, PHOTO);
    await embed(page, attributes, wanted);
    await work(page, server);
    assert.deepEqual(await page.evaluate(() => [window.violations, window.complaints]), [[], []]);
    assert.deepEqual(errors, []);
  } finally {
    await close();
    if (server !== integrator) server.stop();
  }
}

async function problemShown(page, code) {
  await until(page, 'error');
  assert.equal((await told(page, 'error')).at(-1).code, code);
  await page.locator('bonafide-capture .badge.care').waitFor();
  await see(page, code);
}

/** Plans that are slow enough for a browser that draws without the hardware's help on a busy machine. */
const PASSIVE = plan({duration_ms: 4000, steps: [{type: 'hold_still', from_ms: 0, until_ms: 4000}]});

function slowPlan() {
  return activePlan({
    duration_ms: 10_000, frames: {per_second: 8, width: 640, height: 480, jpeg_quality: 0.75, frames_max: 120},
    steps: [{type: 'hold_still', from_ms: 0, until_ms: 1900}, {type: 'turn_left', from_ms: 2000, until_ms: 4400},
      {type: 'hold_still', from_ms: 4500, until_ms: 10_000}],
    flash: {form: 'full', colours: ['#ff3030', '#30ff60', '#3060ff'], from_ms: 4800, each_ms: 1700},
  });
}

const focused = (page) => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.textContent ?? '');

async function tabTo(page, name) {
  for (let press = 0; press < 12 && await focused(page) !== name; press++) await page.keyboard.press('Tab');
  assert.equal(await focused(page), name);
}

/** Captures until what the element told is enough: a machine may be too busy for the short plan of a server. */
async function persist(page, enough) {
  for (let tries = 0; tries < 5; tries++) {
    await begin(page);
    await startNow(page);
    await page.waitForFunction((tries) => window.told.some(({name}) => name === 'result') ||
      window.told.filter(({name, phase}) => name === 'error' || phase === 'explain').length > tries + 1, tries,
    {timeout: 60_000});
    if (enough(await page.evaluate(() => window.told))) return;
  }
  assert.fail(JSON.stringify(await told(page, 'error')));
}

async function api(method, target, body) {
  const got = await fetch(URL_ + target, {
    method, headers: {Authorization: `Bearer ${process.env.BONAFIDE_KEY}`, 'Content-Type': 'application/json'},
    ...(body ? {body: JSON.stringify(body)} : {}),
  });
  assert.ok(got.ok, `${target}: ${got.status}`);
  return got.json();
}

/** A passive session of the real server, embedded; gives its last attempt. */
async function judged(work, options) {
  const created = await api('POST', '/v1/sessions', {flow_type: 'account_opening', mode: 'passive'});
  await visit(work, {attributes: {server: URL_, session: created.session.id, token: created.client_token},
    wanted: created.plan, ...options});
  const attempt = (await api('GET', `/v1/sessions/${created.session.id}`)).attempts.at(-1);
  const found = attempt.record.capture.signals;
  const signals = found.map(({name}) => name);
  const wrong = MISTAKES.filter((name) => !(options?.face && name === 'get_user_media_replaced'));
  assert.deepEqual(found.filter(({name}) => wrong.includes(name)), []);
  assert.ok(signals.includes('automated_browser'), 'a browser under test says so');
  assert.notEqual(attempt.decision, 'approve');
  return {...attempt, signals};
}

const everywhere = {
  async 'an active capture: steps, colours, pictures, times'() {
    const wanted = slowPlan();
    await visit(async (page, server) => {
      await see(page, 'explain');
      await begin(page);
      await page.locator('bonafide-capture .hint:not(:empty)').waitFor();
      await see(page, 'place');
      await startNow(page);
      for (const state of ['data-figure="turn_left"', 'data-flash']) {
        await page.locator(`bonafide-capture .stage[${state}]`).waitFor({timeout: 8000})
          .then(() => see(page, state.includes('turn') ? 'turn' : 'flash')).catch(() => undefined);
      }
      await until(page, 'result');
      await see(page, 'pass');
      const {header, frames} = unpack(server.posts[0].body);
      const {colours, from_ms: first, each_ms: each} = wanted.flash;
      const planned = [...wanted.steps.map(({type, from_ms: ms}) => ({what: type, ms})),
        ...colours.map((what, index) => ({what, ms: first + index * each}))];
      assert.deepEqual(header.shown.map(({what}) => what), planned.map(({what}) => what));
      assert.ok(header.shown.every(({ms}, index) => ms >= planned[index].ms), 'nothing before its time');
      const times = header.frames.map(({ms}) => ms);
      assert.deepEqual(times, [...times].sort((a, b) => a - b));
      assert.ok(frames.length >= 5 && times.at(-1) > 7000, `${frames.length} frames until ${times.at(-1)} ms`);
      const {client} = header;
      assert.deepEqual(client.tamper,
        {get_user_media_native: true, enumerate_devices_native: true, canvas_native: true});
      assert.equal(client.webdriver, true);
      assert.match(client.camera.label, /Default Video Device|Mock video device/);
      assert.doesNotMatch(JSON.stringify(client), /deviceId|groupId/);
    }, {wanted});
  },
  async 'the real server says what helps, and takes the next try'() {
    const attempt = await judged(async (page) => {
      // Explained first, and again after each answer.
      await persist(page, (told) => told.filter(({phase}) => phase === 'explain').length > 2);
      await see(page, 'retry');
    });
    assert.equal(attempt.decision, 'retry');
    assert.ok(attempt.signals.includes('test_camera'), String(attempt.signals));
  },
  async 'a photo in the camera’s place is judged, and is known'() {
    const attempt = await judged(async (page) => {
      await persist(page, (told) => told.some(({name}) => name === 'result'));
      await see(page, 'finished');
    }, {face: true});
    assert.equal(attempt.record.quality.passed, true);
    assert.ok(attempt.signals.includes('get_user_media_replaced'), String(attempt.signals));
  },
  async 'no camera, in the dark theme'() {
    await visit(async (page) => {
      assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), true);
      await see(page, 'dark-explain');
      await main(page).click();
      await problemShown(page, 'no_camera');
      const ground = await page.evaluate(() =>
        getComputedStyle(document.querySelector('bonafide-capture').shadowRoot.querySelector('.card')).backgroundColor);
      assert.equal(ground, 'rgb(19, 24, 36)');
    }, {camera: 'none', dark: true});
  },
  async 'an insecure page says so before anything else'() {
    await visit((page) => problemShown(page, 'insecure_context'), {insecure: true});
  },
  async 'a frame that may not use the camera says so'() {
    await visit(async (page) => {
      const {code, final} = await page.evaluate(async ([ids, plan]) => {
        const frame = document.createElement('iframe');
        frame.allow = "camera 'none'";
        frame.src = location.href;
        document.querySelector('#place').replaceChildren(frame);
        await new Promise((resolve) => frame.addEventListener('load', resolve));
        const inside = frame.contentDocument;
        const element = Object.assign(inside.createElement('bonafide-capture'), {plan});
        for (const [name, value] of Object.entries(ids)) element.setAttribute(name, value);
        const told = new Promise((resolve) => inside.addEventListener('bonafide-error', ({detail}) => resolve(detail)));
        inside.querySelector('#place').append(element);
        while (!element.shadowRoot?.querySelector('.card .button.main')) await new Promise(requestAnimationFrame);
        element.shadowRoot.querySelector('.card .button.main').click();
        return told;
      }, [IDS, PASSIVE]);
      assert.deepEqual([code, final], ['blocked_by_page', true]);
    }, {policy: POLICY_HERE.replace("frame-ancestors 'none'", "frame-ancestors 'self'; frame-src 'self'")});
  },
  async 'the whole way with the keyboard alone, in Arabic, on a wide screen'() {
    await visit(async (page) => {
      const {direction, left, right} = await page.evaluate(() => {
        const root = document.querySelector('bonafide-capture').shadowRoot;
        const [sign, text] = ['.points li svg', '.points li span'].map((part) =>
          root.querySelector(part).getBoundingClientRect().left);
        return {direction: getComputedStyle(root.querySelector('.card')).direction, left: text, right: sign};
      });
      assert.equal(direction, 'rtl');
      assert.ok(left < right, 'the sign is on the right of its text');
      const start = await main(page).innerText();
      await tabTo(page, start);
      assert.ok(await page.evaluate(() => document.activeElement.shadowRoot.activeElement.matches(':focus-visible')),
        'the focus is shown');
      await see(page, 'ar-explain');
      await page.keyboard.press('Enter');
      await page.locator('bonafide-capture .stage[open] .button.main').waitFor();
      await page.keyboard.press('Escape');
      await page.waitForFunction(() =>
        !document.querySelector('bonafide-capture').shadowRoot.querySelector('.stage[open]'));
      assert.equal(await focused(page), await title(page).innerText());
      await tabTo(page, start);
      await page.keyboard.press('Enter');
      await page.locator('bonafide-capture .stage[open] .button.main').waitFor();
      await see(page, 'ar-place');
      await page.keyboard.press('Enter');
      await until(page, 'result');
      assert.equal(await focused(page), await title(page).innerText());
    }, {attributes: {...IDS, lang: 'ar'}, size: WIDE});
  },
};

const firefoxOnly = {
  async 'the camera is forbidden'() {
    await visit(async (page) => {
      await main(page).click();
      await problemShown(page, 'denied');
    }, {camera: 'denied'});
  },
  async 'a browser that makes noise of pictures: said, not sent'() {
    await visit(async (page) => {
      await main(page).click();
      await problemShown(page, 'pictures_hidden');
    }, {camera: 'noise'});
  },
};

const webkitOnly = {
  /** Firefox gives events that a script made up to no listener of a track. */
  async 'the camera vanishes during the capture'() {
    await visit(async (page, server) => {
      await begin(page);
      await startNow(page);
      await page.locator('bonafide-capture .stage[data-phase="run"]').waitFor();
      await page.evaluate(() => {
        const {srcObject} = document.querySelector('bonafide-capture').shadowRoot.querySelector('video');
        const [track] = srcObject.getVideoTracks();
        track.stop();
        track.dispatchEvent(new Event('ended'));
      });
      await problemShown(page, 'camera_lost');
      assert.equal(server.posts.length, 0);
      await main(page).click();
      await stage(page).waitFor();
    }, {wanted: activePlan()});
  },
  async 'another camera can be chosen'() {
    await visit(async (page, server) => {
      await begin(page);
      await page.locator('bonafide-capture .stage select').waitFor();
      await page.evaluate(() => {
        const select = document.querySelector('bonafide-capture').shadowRoot.querySelector('select');
        select.selectedIndex = 1;
        select.dispatchEvent(new Event('change'));
      });
      await page.waitForFunction(() => document.querySelector('bonafide-capture').shadowRoot
        .querySelector('video').srcObject?.getVideoTracks()[0].label === 'Mock video device 2');
      await startNow(page);
      await until(page, 'result');
      assert.equal(unpack(server.posts[0].body).header.client.camera.label, 'Mock video device 2');
    });
  },
};

/** Two cases of Firefox at a time: they mostly wait for a person's pace. WebKit draws without the hardware's help. */
const good = await run({...everywhere, ...(ENGINE === 'firefox' ? firefoxOnly : webkitOnly)},
  {ms: 180_000, lanes: ENGINE === 'firefox' ? 2 : 1});
await closeEngines();
integrator.stop();
process.exitCode = good ? 0 : 1;
