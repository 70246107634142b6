/** The element in a real browser, before a server that answers as each case wants: every way through it. */

import assert from 'node:assert/strict';
import {PHONE, axe, embed, shoot, told, until} from './lib/browser.mjs';
import {activePlan, answer, longPlan, plan} from './lib/stand_in.mjs';
import {run} from './lib/tap.mjs';
import {
  IDS, begin, closeBrowsers, countTracks, live, main, problemShown, stage, startNow, title, unpack,
  visit,
} from './lib/visit.mjs';

const ACTIVE_BYTES_MAX = 2_500_000;

/** The longest plan, with a camera. */
function underLimit(camera, framesMin) {
  return async () => {
    await visit(async (page, server) => {
      await begin(page);
      await startNow(page);
      await until(page, 'result', 45_000);
      const {header, frames} = unpack(server.posts[0].body);
      assert.ok(server.posts[0].body.length < ACTIVE_BYTES_MAX, `${server.posts[0].body.length} bytes`);
      assert.ok(frames.length >= framesMin, `${frames.length} frames`);
      assert.ok(header.frames.at(-1).ms > 11_000, `the last frame is of ${header.frames.at(-1).ms} ms`);
      assert.ok(Math.max(...header.frames.map(({ms}, index, all) => ms - (all[index - 1]?.ms ?? 0))) < 1500, 'no hole');
    }, {camera, wanted: longPlan()});
  };
}

const ways = {
  async 'a passive capture goes through without a hand on it'() {
    await visit(async (page, server) => {
      await begin(page);
      const result = await until(page, 'result');
      assert.equal(result.answer, 'pass');
      assert.equal(result.attempts, 1);
      assert.deepEqual([...new Set((await told(page, 'progress')).map(({phase}) => phase))],
        ['explain', 'permission', 'place', 'capture', 'send']);
      const [post] = server.posts;
      assert.equal(post.target, '/v1/sessions/s1/attempts');
      assert.equal(post.headers.authorization, 'Bearer bft_1');
      assert.equal(post.headers['content-type'], 'application/octet-stream');
      assert.match(post.headers['idempotency-key'], /^[0-9a-f-]{36}$/);
      const {header, frames} = unpack(post.body);
      assert.equal(header.nonce, plan().nonce);
      assert.ok(frames.length >= 4, `${frames.length} frames`);
      const times = header.frames.map(({ms}) => ms);
      assert.deepEqual(times, [...times].sort((a, b) => a - b));
      assert.ok(times[0] >= 0 && times.at(-1) <= 1400, String(times));
      assert.deepEqual(header.shown.map(({what}) => what), ['hold_still']);
    });
  },
  async 'the client report says what is so'() {
    await visit(async (page, server) => {
      await begin(page);
      await until(page, 'result');
      const {client} = unpack(server.posts[0].body).header;
      assert.match(client.sdk, /^bonafide-web\/\d/);
      assert.equal(client.webdriver, true);
      assert.equal(client.capture, 'camera');
      assert.equal(client.language, 'en');
      assert.equal(client.mirrored, false);
      assert.deepEqual(client.camera.requested, {width: 1280, height: 720, frame_rate: 30});
      assert.deepEqual([client.camera.settings.width, client.camera.settings.height], [640, 480]);
      assert.equal(client.camera.device_count, 1);
      assert.ok(client.camera.label.length > 0);
      assert.doesNotMatch(JSON.stringify(client), /deviceId|groupId/);
      assert.deepEqual(client.tamper,
        {get_user_media_native: true, enumerate_devices_native: true, canvas_native: true});
      assert.deepEqual(Object.keys(client.timing), ['frames_dropped', 'hidden_ms', 'rotations', 'clock_drift_ms']);
      assert.ok(Math.abs(client.timing.clock_drift_ms) < 100);
    });
  },
  async 'a replaced getUserMedia is reported'() {
    await visit(async (page, server) => {
      await begin(page);
      await until(page, 'result');
      assert.equal(unpack(server.posts[0].body).header.client.tamper.get_user_media_native, false);
    }, {before: countTracks});
  },
  async 'a getUserMedia that was put back is reported all the same'() {
    await visit(async (page, server) => {
      await begin(page);
      await page.evaluate(() => delete navigator.mediaDevices.getUserMedia);
      await until(page, 'result');
      assert.equal(unpack(server.posts[0].body).header.client.tamper.get_user_media_native, false);
    }, {before: countTracks});
  },
  async 'frames are sent unmirrored, the preview is a mirror'() {
    await visit(async (page, server) => {
      await begin(page);
      assert.match(await page.locator('bonafide-capture video').evaluate((video) => getComputedStyle(video).transform),
        /^matrix\(-/);
      await startNow(page);
      await until(page, 'result');
      const {frames} = unpack(server.posts[0].body);
      const sides = await page.evaluate(async (data) => {
        const picture = await createImageBitmap(new Blob([Uint8Array.from(data)]));
        const canvas = new OffscreenCanvas(2, 1);
        canvas.getContext('2d').drawImage(picture, 0, 0, 2, 1);
        const {data: pixels} = canvas.getContext('2d').getImageData(0, 0, 2, 1);
        return [pixels[1], pixels[5]];
      }, [...frames[0]]);
      assert.ok(sides[1] > sides[0] + 20, `the right is the brighter side: ${sides}`);
    }, {camera: 'sides'});
  },
  async 'an active capture shows each step and colour at its time'() {
    const wanted = activePlan();
    await visit(async (page, server) => {
      await begin(page);
      await until(page, 'result', 45_000);
      const {header, frames} = unpack(server.posts[0].body);
      const planned = [...wanted.steps.map(({type, from_ms: ms}) => ({what: type, ms})),
        ...wanted.flash.colours.map((what, index) => ({what, ms: wanted.flash.from_ms + index * wanted.flash.each_ms}))]
        .sort((a, b) => a.ms - b.ms);
      assert.deepEqual(header.shown.map(({what}) => what), planned.map(({what}) => what));
      const late = header.shown.map(({ms}, index) => ms - planned[index].ms).sort((x, y) => x - y);
      assert.ok(late[0] >= 0, `${late[0]} ms: shown before its time`);
      // A busy machine is late once in a while, a page that minds the plan is not late as a rule.
      assert.ok(late[late.length >> 1] < 400 && late.at(-1) < 1500, `late by ${late.map(Math.round)} ms`);
      assert.ok(frames.length > 20, `${frames.length} frames`);
    }, {wanted});
  },
  'the longest active attempt is under 2.5 MB': underLimit('live', 60),
  'with a noisy camera, too, and it reaches to the end': underLimit('noisy', 20),
  async 'a retry brings the server’s guidance and its new token and plan'() {
    await visit(async (page, server) => {
      server.reply = ({body}) => ({status: 200, json: unpack(body).header.nonce === plan().nonce ?
        answer('retry', {guidance: ['find_more_light', 'unknown_code', 'move_closer'], client_token: 'bft_2',
          plan: plan({nonce: 'cd'.repeat(32)})}) : answer('done', {guidance: ['wait_for_review']})});
      await begin(page);
      await page.locator('bonafide-capture .points').waitFor();
      assert.deepEqual(await page.locator('bonafide-capture .points li').allInnerTexts(),
        ['Find a place with more light.', 'Move a little closer to the camera.']);
      await begin(page);
      const result = await until(page, 'result');
      assert.equal(result.answer, 'done');
      assert.equal(result.attempts, 2);
      assert.equal(server.posts[1].headers.authorization, 'Bearer bft_2');
      assert.notEqual(server.posts[1].headers['idempotency-key'], server.posts[0].headers['idempotency-key']);
      assert.match(await page.locator('bonafide-capture .lead').innerText(), /Somebody will look at this/);
    });
  },
  async 'a challenge is explained before it begins'() {
    await visit(async (page, server) => {
      server.reply = () => ({status: 200, json: answer('challenge', {client_token: 'bft_2', plan: activePlan()})});
      await begin(page);
      await page.locator('bonafide-capture .notice').waitFor();
      assert.equal(await title(page).innerText(), 'One more short step');
      assert.equal(await stage(page).count(), 0, 'the camera is off meanwhile');
    });
  },
  async 'the camera is off and the picture gone after the capture'() {
    await visit(async (page) => {
      await begin(page);
      assert.equal(await live(page), 1);
      await until(page, 'result');
      assert.equal(await live(page), 0);
      assert.equal(await page.locator('bonafide-capture video').count(), 0);
    }, {before: countTracks});
  },
  async 'an element that is removed stops the camera'() {
    await visit(async (page, server) => {
      await begin(page);
      await page.evaluate(() => document.querySelector('bonafide-capture').remove());
      await page.waitForFunction(() => window.tracks.every((track) => track.readyState === 'ended'));
      assert.equal(server.posts.length, 0);
    }, {before: countTracks, wanted: activePlan()});
  },
  async 'another camera can be chosen'() {
    await visit(async (page) => {
      await begin(page);
      const select = page.locator('bonafide-capture select');
      await select.waitFor();
      const names = await select.locator('option').allInnerTexts();
      assert.equal(names.length, 2);
      const [first] = await page.evaluate(() => window.tracks.map((track) => track.getSettings().deviceId));
      await select.selectOption({index: 1});
      await page.waitForFunction(() => window.tracks.length === 2);
      const second = await page.evaluate(() => window.tracks[1].getSettings().deviceId);
      assert.notEqual(second, first);
      assert.equal(await live(page), 1, 'the first camera was closed');
    }, {camera: null, flags: ['--use-fake-device-for-media-stream=device-count=2'], before: countTracks});
  },
  async 'the plain call shows a dialog and gives the result'() {
    await visit(async (page) => {
      const result = page.evaluate(async ([ids, wanted]) => {
        const {capture} = await import('/capture/bonafide-capture.js');
        return capture({...ids, plan: wanted, language: 'de', theme: 'dark'});
      }, [IDS, plan()]);
      await main(page).last().click();
      assert.equal((await result).answer, 'pass');
      await page.getByRole('button', {name: 'Schließen'}).click();
      assert.equal(await page.locator('.bonafide-dialog').count(), 0);
    }, {attributes: {}});
  },
  async 'a plan set before the element is defined counts'() {
    await visit(async (page) => {
      await page.evaluate(async ([ids, wanted]) => {
        const element = document.createElement('late-capture');
        Object.assign(element, {plan: wanted, texts: {title: 'My own title'}});
        for (const [name, value] of Object.entries(ids)) element.setAttribute(name, value);
        document.querySelector('#place').replaceChildren(element);
        const {BonafideCapture} = await import('/capture/bonafide-capture.js');
        customElements.define('late-capture', class extends BonafideCapture {});
      }, [IDS, plan()]);
      await page.locator('late-capture h2', {hasText: 'My own title'}).waitFor();
      assert.match(await page.locator('late-capture .lead').innerText(), /a few pictures/);
    }, {attributes: {}});
  },
  async 'whoever closes the dialog ends the plain call'() {
    await visit(async (page) => {
      const result = page.evaluate(async (ids) => {
        const {capture} = await import('/capture/bonafide-capture.js');
        return capture(ids).catch((error) => error.name);
      }, {...IDS, plan: plan()});
      await page.locator('.bonafide-dialog[open]').waitFor();
      await page.keyboard.press('Escape');
      assert.equal(await result, 'AbortError');
    }, {attributes: {}});
  },
  async 'the plain call minds its signal, also one that was given too late'() {
    await visit(async (page) => {
      const result = page.evaluate(async (options) => {
        const {capture} = await import('/capture/bonafide-capture.js');
        const name = (signal) => capture({...options, signal}).catch((error) => error.name);
        const running = new AbortController();
        const ended = name(running.signal);
        running.abort();
        return [await ended, await name(AbortSignal.abort())];
      }, {...IDS, plan: plan()});
      assert.deepEqual(await result, ['AbortError', 'AbortError']);
      assert.equal(await page.locator('.bonafide-dialog').count(), 0);
    }, {attributes: {}});
  },
};

/** The answer to a wish for another plan. */
function otherPlan(wanted, word = 'plan') {
  return {status: 200, json: {success: true, request_id: 'r', answer: word, changes_left: 2, plan: wanted}};
}

const choices = {
  async 'no flashing, please: another plan, and no flash'() {
    await visit(async (page, server) => {
      server.reply = ({target}) => target.endsWith('/plan') ?
        otherPlan(plan({nonce: 'ef'.repeat(32)})) :
        {status: 200, json: answer('pass')};
      await page.getByLabel('No flashing, please').check();
      await begin(page);
      await until(page, 'result');
      const [wish, attempt] = server.posts;
      assert.equal(wish.target, '/v1/sessions/s1/plan');
      assert.equal(wish.headers.authorization, 'Bearer bft_1');
      assert.deepEqual(JSON.parse(wish.body), {exclude: [], flash: 'none', pace: 'normal'});
      assert.equal(unpack(attempt.body).header.nonce, 'ef'.repeat(32));
    }, {wanted: activePlan()});
  },
  async 'reduced motion prefers the gentle light and still drawings'() {
    await visit(async (page, server) => {
      assert.equal(await page.getByLabel('Soft colours that change slowly').isChecked(), true);
      server.reply = () => otherPlan(activePlan({flash:
        {form: 'gentle', colours: ['#ffd0d0', '#d0ffd0', '#d0d0ff', '#ffffff'], from_ms: 2600, each_ms: 700}}));
      await begin(page);
      assert.equal(JSON.parse(server.posts[0].body).flash, 'gentle');
      await page.locator('bonafide-capture .stage[data-figure="turn_left"]').waitFor();
      const running = await page.evaluate(() =>
        document.querySelector('bonafide-capture').shadowRoot.getAnimations().length);
      assert.equal(running, 0);
      await page.locator('bonafide-capture .stage[data-gentle][data-flash]').waitFor();
    }, {wanted: activePlan(), reducedMotion: 'reduce'});
  },
  async 'what a person cannot do is left out'() {
    await visit(async (page, server) => {
      server.reply = () => otherPlan(activePlan({flash: null, steps: [{type: 'hold_still', from_ms: 0, until_ms: 1000},
          {type: 'blink', from_ms: 1300, until_ms: 5000}]}));
      await page.getByText('I cannot do one of these').click();
      await page.getByLabel('Turn my head to the side').check();
      await page.getByLabel('Smile').check();
      await page.getByLabel('I need more time for each step').check();
      await begin(page);
      assert.deepEqual(JSON.parse(server.posts[0].body),
        {exclude: ['turn_left', 'turn_right', 'smile'], flash: 'full', pace: 'relaxed'});
    }, {wanted: activePlan()});
  },
  async 'where nothing is left to ask, people take over'() {
    await visit(async (page, server) => {
      server.reply = () => otherPlan(null, 'done');
      await page.getByLabel('No flashing, please').check();
      await main(page).click();
      const result = await until(page, 'result');
      assert.equal(result.answer, 'done');
      assert.match(await page.locator('bonafide-capture .lead').innerText(), /Somebody will look/);
    }, {wanted: activePlan()});
  },
  async 'a plan that cannot be changed is not carried out against the person'() {
    await visit(async (page, server) => {
      server.reply = () => ({status: 409, json: {success: false, error: {code: 'PLAN_FIXED'}}});
      await page.getByLabel('No flashing, please').check();
      await main(page).click();
      assert.equal((await problemShown(page, 'no_plan_left')).final, true);
    }, {wanted: activePlan()});
  },
  async 'what only the back end may leave out is said kindly, and the person chooses again'() {
    await visit(async (page, server) => {
      server.reply = ({target, body}) => !target.endsWith('/plan') ? {status: 200, json: answer('pass')} :
        JSON.parse(body).exclude.length === 0 ? otherPlan(plan({nonce: 'ab'.repeat(32)})) :
          {status: 409, json: {success: false, error: {code: 'EXCLUSION_REFUSED'}}};
      await page.getByText('I cannot do one of these').click();
      await page.getByLabel('Smile').check();
      await main(page).click();
      assert.equal((await problemShown(page, 'exclusion_refused')).final, false);
      assert.match(await page.locator('bonafide-capture .lead').innerText(), /they can leave it out for you/);
      await main(page).click();
      await page.getByText('I cannot do one of these').click();
      assert.equal(await page.getByLabel('Smile').isChecked(), false);
      await page.getByLabel('No flashing, please').check();
      await begin(page);
      await until(page, 'result');
      assert.deepEqual(JSON.parse(server.posts[1].body), {exclude: [], flash: 'none', pace: 'normal'});
      assert.equal(unpack(server.posts[2].body).header.nonce, 'ab'.repeat(32));
    }, {wanted: activePlan()});
  },
  async 'without a plan the server is asked for it'() {
    await visit(async (page, server) => {
      server.reply = ({target}) => target.endsWith('/plan') ?
        otherPlan(plan()) :
        {status: 200, json: answer('pass')};
      await embed(page, IDS);
      await begin(page);
      await until(page, 'result');
    }, {attributes: {}, wanted: null});
  },
};

const hints = {
  async 'too dark: more light is asked for, and the person may start all the same'() {
    await visit(async (page) => {
      await begin(page);
      await page.locator('bonafide-capture .hint', {hasText: 'Find a place with more light.'}).waitFor();
      await shoot(page, 'hint-dark');
      assert.deepEqual(await axe(page), []);
      await startNow(page);
      await until(page, 'result');
    }, {camera: 'dark', ...PHONE});
  },
  async 'too far: closer is asked for'() {
    await visit(async (page) => {
      await begin(page);
      await page.locator('bonafide-capture .hint', {hasText: 'Move a little closer to the camera.'}).waitFor();
      await shoot(page, 'hint-far');
    }, {camera: 'far', ...PHONE});
  },
};

/** Cases at the same time: most of their time they wait for a person's pace. */
process.exitCode = await run({...ways, ...choices, ...hints}, {ms: 90_000, lanes: 2}) ? 0 : 1;
await closeBrowsers();
