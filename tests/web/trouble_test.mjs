/** The element in a real browser when something is in the way: cameras, networks, sessions; and for everybody: every
 * screen, the keyboard alone, screen readers. */

import assert from 'node:assert/strict';
import {DESKTOP, PHONE, axe, embed, open, shoot, told, until} from './lib/browser.mjs';
import {listen, tree} from './lib/hear.mjs';
import {StandIn, activePlan, answer, longPlan, plan} from './lib/stand_in.mjs';
import {run} from './lib/tap.mjs';
import {
  FILES, IDS, begin, browserWith, closeBrowsers, countTracks, live, main, problemShown, stage,
  startNow, title, unpack, visit,
} from './lib/visit.mjs';

/** Something happens to the camera while it runs. */
function during(code, happen) {
  return async () => {
    await visit(async (page, server, context) => {
      await begin(page);
      await page.locator('bonafide-capture .stage[data-phase="run"][data-figure]:not([data-figure="none"])').waitFor();
      await happen(page, context);
      const event = await problemShown(page, code);
      assert.equal(event.final, false);
      assert.equal(await live(page), 0, 'the camera is off');
      assert.equal(server.posts.length, 0, 'nothing was sent');
    }, {before: countTracks, wanted: activePlan()});
  };
}

const setHidden = (page, hidden) => page.evaluate((hidden) => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

const problems = {
  async 'permission denied, then given'() {
    await visit(async (page, server, context) => {
      await main(page).click();
      const event = await until(page, 'error');
      assert.ok(['denied', 'dismissed'].includes(event.code), event.code);
      await shoot(page, 'problem-denied');
      assert.deepEqual(await axe(page), []);
      await context.grantPermissions(['camera'], {origin: server.url});
      if (await stage(page).count() === 0) await main(page).click({timeout: 3000}).catch(() => undefined);
      await until(page, 'result');
    }, {allow: false});
  },
  async 'there is no camera'() {
    await visit(async (page) => {
      await main(page).click();
      await problemShown(page, 'no_camera');
    }, {camera: null});
  },
  async 'the camera is busy, then free'() {
    await visit(async (page, server) => {
      await main(page).click();
      await problemShown(page, 'busy');
      await main(page).click();
      await until(page, 'result');
    }, {
      before: async (page) => {
        await page.addInitScript(() => {
          const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          let tries = 0;
          navigator.mediaDevices.getUserMedia = (wish) => tries++ === 0 ?
            Promise.reject(new DOMException('Could not start video source', 'NotReadableError')) : real(wish);
        });
        await page.reload();
      },
    });
  },
  async 'an insecure page says so before anything else'() {
    const browser = await browserWith('live', ['--host-resolver-rules=MAP capture.example 127.0.0.1']);
    const server = await new StandIn(FILES).start();
    const {page, context, errors} = await open(browser, `http://capture.example:${server.port}/page/`, {allow: false});
    await embed(page, IDS, plan());
    const event = await until(page, 'error');
    assert.equal(event.code, 'insecure_context');
    assert.equal(event.final, true);
    assert.match(await page.locator('bonafide-capture .lead').innerText(), /https/);
    await shoot(page, 'problem-insecure_context');
    assert.deepEqual(errors, []);
    await context.close();
    server.stop();
  },
  async 'a browser without cameras for pages'() {
    await visit(async (page) => {
      assert.equal((await problemShown(page, 'unsupported', {first: true})).final, true);
    }, {
      before: async (page) => {
        await page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined}));
        await page.reload();
      },
    });
  },
  async 'a browser that cannot make style sheets: told without any look'() {
    await visit(async (page) => {
      assert.equal((await until(page, 'error')).code, 'unsupported');
      assert.equal(await title(page).innerText(), 'This browser cannot do it');
    }, {
      before: async (page) => {
        await page.addInitScript(() => {
          delete Document.prototype.adoptedStyleSheets;
          Object.defineProperty(window, 'CSSStyleSheet', {value: undefined});
        });
        await page.reload();
      },
    });
  },
  async 'a page that forgot session or token'() {
    await visit(async (page) => {
      assert.equal((await problemShown(page, 'not_set_up', {first: true})).final, true);
    }, {attributes: {session: 's1'}});
  },
  'the camera vanishes': during('camera_lost', (page) => page.evaluate(() => {
    window.tracks[0].stop();
    window.tracks[0].dispatchEvent(new Event('ended'));
  })),
  'the permission is taken back': during('camera_lost', (page, context) => context.clearPermissions()),
  'the camera pauses': during('camera_paused', (page) => page.evaluate(() =>
    window.tracks[0].dispatchEvent(new Event('mute')))),
  'the page goes out of sight': during('hidden', (page) => setHidden(page, true)),
  'the device is turned': during('rotated', (page) => page.evaluate(() => {
    const video = document.querySelector('bonafide-capture').shadowRoot.querySelector('video');
    Object.defineProperty(video, 'videoWidth', {get: () => 480});
    Object.defineProperty(video, 'videoHeight', {get: () => 640});
    video.dispatchEvent(new Event('resize'));
  })),
  async 'after a time out of sight the same plan goes on'() {
    await visit(async (page, server) => {
      await begin(page);
      await setHidden(page, true);
      await until(page, 'error');
      await setHidden(page, false);
      await main(page).click();
      await until(page, 'result');
      assert.equal(unpack(server.posts[0].body).header.nonce, plan().nonce);
    });
  },
};

const networks = {
  async 'a broken network: the same attempt is sent again by itself'() {
    await visit(async (page, server) => {
      let tries = 0;
      server.reply = () => tries++ < 2 ? {status: 0} : {status: 200, json: answer('pass')};
      await begin(page);
      await until(page, 'result');
      assert.equal(server.posts.length, 3);
      assert.equal(new Set(server.posts.map(({headers}) => headers['idempotency-key'])).size, 1);
      assert.ok(server.posts.every(({body}) => body.equals(server.posts[0].body)));
    });
  },
  async 'a busy server is asked again when it says'() {
    await visit(async (page, server) => {
      let tries = 0;
      server.reply = () => tries++ === 0 ?
        {status: 503, json: {error: {code: 'OVERLOADED'}}, headers: {'Retry-After': '1'}} :
        {status: 200, json: answer('pass')};
      await begin(page);
      await until(page, 'result');
      assert.equal(server.posts.length, 2);
    });
  },
  async 'no network for long: the person keeps the pictures and tries again'() {
    await visit(async (page, server) => {
      server.reply = () => ({status: 0});
      await begin(page);
      await problemShown(page, 'network', {ms: 40_000});
      const before = server.posts.at(-1);
      server.reply = () => ({status: 200, json: answer('pass')});
      await main(page).click();
      await until(page, 'result');
      assert.ok(server.posts.at(-1).body.equals(before.body));
      assert.equal(server.posts.at(-1).headers['idempotency-key'], before.headers['idempotency-key']);
    });
  },
  async 'a slow network shows how far it is'() {
    await visit(async (page) => {
      const session = await page.context().newCDPSession(page);
      await begin(page);
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions',
        {offline: false, latency: 100, downloadThroughput: 50_000, uploadThroughput: 90_000});
      await until(page, 'result');
      const shares = (await told(page, 'progress')).filter(({phase}) => phase === 'send').map(({share}) => share);
      assert.ok(shares.filter((share) => share > 0 && share < 1).length >= 2, String(shares));
    });
  },
  async 'a session whose time is over'() {
    await visit(async (page, server) => {
      server.reply = () => ({status: 410, json: {success: false, error: {code: 'SESSION_EXPIRED'}}});
      await begin(page);
      assert.equal((await problemShown(page, 'expired')).final, true);
      assert.equal(server.posts.length, 1);
    });
  },
  async 'a session that is finished'() {
    await visit(async (page, server) => {
      server.reply = () => ({status: 409, json: {success: false, error: {code: 'SESSION_FINISHED'}}});
      await begin(page);
      assert.equal((await problemShown(page, 'finished')).final, true);
    });
  },
};

/** Slow enough to take pictures of each step on a busy machine. */
function slowPlan() {
  return activePlan({
    duration_ms: 13_000,
    steps: [{type: 'hold_still', from_ms: 0, until_ms: 700}, {type: 'turn_left', from_ms: 900, until_ms: 4900},
      {type: 'smile', from_ms: 5000, until_ms: 8500}, {type: 'hold_still', from_ms: 8600, until_ms: 13_000}],
    flash: {form: 'full', colours: ['#ff3030', '#30ff60', '#3060ff', '#ffffff'], from_ms: 8800, each_ms: 1000},
  });
}

/** Every screen, in a theme and a language: pictures for people, rules by axe. */
function screens(kind, {lang = '', ...options}) {
  return async () => {
    const attributes = lang ? {...IDS, lang} : IDS;
    await visit(async (page, server) => {
      const see = async (name) => {
        await shoot(page, `${kind}-${name}`);
        assert.deepEqual(await axe(page), [], name);
      };
      await see('explain-active');
      await page.locator('bonafide-capture summary').click();
      await see('abilities');
      server.reply = () => new Promise((resolve) => setTimeout(() => resolve({status: 200, json: answer('retry',
        {guidance: ['find_more_light', 'look_straight'], client_token: 't2', plan: plan()})}), 1500));
      await begin(page);
      await page.locator('bonafide-capture .hint:not(:empty)').waitFor();
      await shoot(page, `${kind}-place`);
      // Pictures only: on a busy machine one may take longer than the step. Other cases hold the steps to their times.
      for (const [name, state] of [['turn', 'data-figure="turn_left"'], ['smile', 'data-figure="smile"'],
        ['flash', 'data-flash']]) {
        await page.locator(`bonafide-capture .stage[${state}]`).waitFor({timeout: 8000})
          .then(() => shoot(page, `${kind}-${name}`)).catch(() => undefined);
      }
      await page.locator('bonafide-capture .card progress').waitFor();
      await see('send');
      await page.locator('bonafide-capture .points').waitFor();
      await see('retry');
      server.reply = () => ({status: 200, json: answer('pass')});
      await begin(page);
      await page.locator('bonafide-capture .badge.good').waitFor();
      await see('pass');
    }, {attributes, wanted: slowPlan(), ...options});
  };
}

const access = {
  'every screen, phone, light': screens('phone', PHONE),
  'every screen, desktop, light': screens('desktop', DESKTOP),
  'every screen, phone, dark': screens('dark', {...PHONE, colorScheme: 'dark'}),
  'every screen, phone, right to left': screens('rtl', {...PHONE, lang: 'ar'}),
  'every screen, small phone lying down, German': screens('lying',
    {...PHONE, viewport: {width: 667, height: 375}, lang: 'de'}),
  async 'a step in progress, in both themes and directions'() {
    for (const options of [{}, {colorScheme: 'dark'}, {attributes: {...IDS, lang: 'ar'}, ...PHONE}]) {
      await visit(async (page) => {
        await begin(page);
        await page.locator('bonafide-capture .stage[data-figure="look_up"]').waitFor();
        assert.deepEqual(await axe(page), []);
      }, {wanted: longPlan(), ...options});
    }
  },
  async 'the whole way with the keyboard alone'() {
    await visit(async (page) => {
      const focused = () => page.evaluate(() => {
        let node = document.activeElement;
        while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
        return node?.textContent?.trim() || node?.getAttribute('aria-label');
      });
      const tabTo = async (name) => {
        for (let press = 0; press < 12 && await focused() !== name; press++) await page.keyboard.press('Tab');
        assert.equal(await focused(), name);
      };
      await tabTo('Agree and start the camera');
      await page.keyboard.press('Enter');
      await page.locator('bonafide-capture .stage[open]:not([data-phase="wait"])').waitFor();
      assert.equal(await focused(), 'Start now');
      await page.keyboard.press('Escape');
      await title(page).waitFor();
      await page.waitForFunction(() =>
        !document.querySelector('bonafide-capture').shadowRoot.querySelector('.stage[open]'));
      assert.equal(await focused(), 'A quick look at you');
      await tabTo('Agree and start the camera');
      await page.keyboard.press('Enter');
      await page.locator('bonafide-capture .stage[open]:not([data-phase="wait"])').waitFor();
      await page.keyboard.press('Enter');
      const result = await until(page, 'result');
      assert.equal(result.answer, 'pass');
      assert.equal(await focused(), 'Thank you, that went well');
    }, {camera: 'dark'}); // With better light it would start before the key is pressed.
  },
  async 'what a screen reader says, from first to last'() {
    const wanted = activePlan({
      duration_ms: 8400, flash: null,
      steps: [{type: 'hold_still', from_ms: 0, until_ms: 1600}, {type: 'turn_left', from_ms: 2800, until_ms: 4600},
        {type: 'smile', from_ms: 5800, until_ms: 7400}],
    });
    await visit(async (page, server) => {
      const replies = [answer('pass'), answer('retry', {guidance: ['find_more_light', 'look_straight'],
        client_token: 't2', plan: plan()})];
      server.reply = () => new Promise((resolve) =>
        setTimeout(() => resolve({status: 200, json: replies.pop()}), 1000));
      await listen(page);
      await begin(page);
      await page.locator('bonafide-capture .hint:not(:empty)').waitFor();
      assert.deepEqual((await tree(page)).slice(1), ['dialog: Camera', 'button: Stop the camera and go back', 'status',
        'status', 'button: Start now', 'progressbar: Progress', 'Video: You, as in a mirror']);
      await startNow(page);
      await page.locator('bonafide-capture .points').waitFor();
      await begin(page);
      await page.locator('bonafide-capture .hint:not(:empty)').waitFor();
      await startNow(page);
      await until(page, 'result');
      const opening = [
        'focus: Please allow the camera: Your browser now asks whether this page may use the camera. Choose “Allow”.',
        'focus: Stop the camera and go back', 'focus: Camera', 'now: The camera is starting …',
        'focus: Start now', 'now: Put your face in the oval', 'soon: Find a place with more light.', 'focus: Camera',
      ];
      const sending =
        ['focus: Sending: The camera is off. Your pictures are on their way.', 'soon: One moment, please …'];
      const straight = 'now: Good. Look straight again';
      assert.deepEqual(await page.evaluate(() => window.heard), [
        'focus: Agree and start the camera', ...opening, 'now: Look at the screen. It starts now',
        'now: Look into the camera', straight, 'now: Turn your head to your left', straight, 'now: Smile', straight,
        ...sending,
        'focus: Let us try that once more: This may help: Find a place with more light. Look straight into the camera.',
        'focus: Try again', ...opening, 'now: Look into the camera', ...sending,
        'focus: Thank you, that went well: You can go on.',
      ]);
    }, {camera: 'dark', wanted});
  },
  async 'nothing is cut off on small phones, whichever way they are held'() {
    const sizes = [[320, 568], [375, 553], [568, 320], [667, 331]];
    await visit(async (page) => {
      const assertInside = async (parts) => {
        for (const [width, height] of sizes) {
          await page.setViewportSize({width, height});
          const outside = await page.evaluate((parts) => parts.filter((part) => {
            const node = document.querySelector('bonafide-capture').shadowRoot.querySelector(part);
            const {left, top, right, bottom} = node.getBoundingClientRect();
            return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || bottom === top;
          }), parts);
          assert.deepEqual(outside, [], `${width} x ${height}`);
          await shoot(page, `small-${parts.length}-${width}`);
        }
      };
      await begin(page);
      await page.locator('bonafide-capture .hint:not(:empty)').waitFor();
      await assertInside(['.stage .round', '.prompt-text', '.lens', '.hint', '.stage .button.main']);
      await startNow(page);
      await page.locator('bonafide-capture .stage[data-figure="turn_left"]').waitFor();
      await assertInside(['.stage .round', '.prompt-text', '.figure', '.lens']);
    }, {...PHONE, camera: 'dark', attributes: {...IDS, lang: 'de'}, wanted: activePlan({
      duration_ms: 20_000, flash: null,
      steps: [{type: 'hold_still', from_ms: 0, until_ms: 500}, {type: 'turn_left', from_ms: 600, until_ms: 20_000}],
    })});
  },
  async 'a finger that slips over the camera does not move the page behind'() {
    await visit(async (page) => {
      const session = await page.context().newCDPSession(page);
      const touch = (type, ...touchPoints) => session.send('Input.dispatchTouchEvent', {type, touchPoints});
      const swipe = async () => {
        await touch('touchStart', {x: 200, y: 500});
        for (let y = 480; y > 200; y -= 40) await touch('touchMove', {x: 200, y});
        await touch('touchEnd');
        await page.waitForTimeout(300);
        return page.evaluate(() => scrollY);
      };
      await page.evaluate(() => (document.body.style.minHeight = '3000px'));
      assert.ok(await swipe() > 0, 'the page can be scrolled');
      await page.evaluate(() => scrollTo(0, 0));
      await begin(page);
      assert.equal(await swipe(), 0);
    }, {wanted: activePlan(), camera: 'dark', ...PHONE});
  },
  async 'the page’s language is the element’s, and Arabic runs from right to left'() {
    await visit(async (page) => {
      assert.equal(await page.locator('bonafide-capture .card').getAttribute('dir'), 'ltr');
      await page.evaluate(() => (document.documentElement.lang = 'ar'));
      await page.evaluate(() => document.querySelector('bonafide-capture').restart());
      assert.equal(await page.locator('bonafide-capture .card').getAttribute('dir'), 'rtl');
      assert.equal(await page.locator('bonafide-capture .card').getAttribute('lang'), 'ar');
    });
  },
};

/** Cases at the same time: most of their time they wait for a person's pace. */
process.exitCode = await run({...problems, ...networks, ...access}, {ms: 90_000, lanes: 2}) ? 0 : 1;
await closeBrowsers();
