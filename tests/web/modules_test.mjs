/** The page's modules without a browser: plans, hints, the capture file, texts; and the size of what is shipped. */

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, readdirSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import {run} from './lib/tap.mjs';
import {activePlan, plan} from './lib/stand_in.mjs';

const SOURCE = path.join(process.env.BONAFIDE_SOURCE_DIR, 'web/src');
const BUNDLE_MAX = 60 * 1024;

/** The modules as the browser gets them, through the bundler that is shipped with. */
async function load(name) {
  const out = path.join(mkdtempSync(path.join(os.tmpdir(), 'bonafide-web-')), 'module.mjs');
  execFileSync(path.join(process.env.BONAFIDE_CACHE_DIR, 'web/esbuild'),
    [path.join(SOURCE, name), '--bundle', '--format=esm', '--log-level=warning', `--outfile=${out}`]);
  return import(out);
}

const plans = await load('plan.ts');
const hints = await load('hints.ts');
const files = await load('file.ts');
const texts = await load('texts/index.ts');

/** A picture of one colour with an ellipse of another in the middle. */
function picture(ground, face, width, height, size) {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = ((x - width / 2) / (0.38 * size)) ** 2 + ((y - height / 2) / (0.5 * size)) ** 2 <= 1;
      const shade = 1 + 0.15 * Math.sin(x / 2) * Math.sin(y / 3);
      const colour = (inside ? face : ground).map((value) => value * shade);
      rgba.set([...colour, 255], 4 * (y * width + x));
    }
  }
  return rgba;
}

const WALL = [120, 128, 135];
const SKINS = {pale: [225, 180, 160], brown: [150, 100, 75], dark: [88, 58, 44]};

function hint(ground, face, size, before = null) {
  const seen = hints.look(picture(ground, face, 96, 72, size), 96, 72, before);
  return hints.hintOf(seen);
}

const cases = {
  'a plan is read as it was sent'() {
    const read = plans.readPlan(activePlan());
    assert.deepEqual(read, activePlan());
    assert.equal(plans.isActive(read), true);
    assert.equal(plans.isActive(plans.readPlan(plan())), false);
  },
  'a plan of an older server is a passive one'() {
    const read = plans.readPlan({nonce: 'abc', attempt: 1, steps: [], bytes_max: 1000});
    assert.deepEqual(read.steps, [{type: 'hold_still', from_ms: 0, until_ms: 1200}]);
    assert.equal(read.flash, null);
  },
  'what could surprise a person is not carried out'() {
    assert.throws(() => plans.readPlan(null), TypeError);
    assert.throws(() => plans.readPlan({...plan(), nonce: '<b>'}), TypeError);
    assert.throws(() => plans.readPlan({...plan(), steps: [{type: 'shout', from_ms: 0, until_ms: 9}]}), TypeError);
    assert.throws(() => plans.readPlan(activePlan(
      {flash: {form: 'full', colours: ['url(x)'], from_ms: 0, each_ms: 400}})));
    const fast = plans.readPlan(activePlan({flash: {form: 'full', colours: ['#ff0000'], from_ms: 0, each_ms: 50}}));
    assert.ok(fast.flash.each_ms >= 334, 'never more than three changes a second');
    assert.ok(plans.readPlan(plan({duration_ms: 1e9})).duration_ms <= 60_000);
    assert.ok(plans.readPlan(plan({frames: {per_second: 1000, frames_max: 1e9}})).frames.frames_max <= 400);
  },
  'steps and colours have their moments'() {
    const read = plans.readPlan(activePlan());
    const at = (ms) => plans.stepAt(read, ms)?.type ?? null;
    assert.deepEqual([0, 699, 700, 900, 2199, 2200, 3000].map(at),
      ['hold_still', 'hold_still', null, 'turn_left', 'turn_left', null, 'smile']);
    assert.deepEqual([3599, 3600, 4049, 4050, 5399, 5400].map((ms) => plans.colourAt(read, ms)),
      [null, '#ff3030', '#ff3030', '#30ff60', '#ffffff', null]);
  },
  'hints are the same for every tone of skin'() {
    for (const [name, skin] of Object.entries(SKINS)) {
      assert.equal(hint(WALL, skin, 44), 'ready', name);
      assert.equal(hint(WALL, skin, 12), 'move_closer', name);
    }
  },
  'hints name what would help'() {
    const dim = (colour, share) => colour.map((value) => value * share);
    assert.equal(hint(dim(WALL, 0.3), dim(SKINS.brown, 0.3), 44), 'find_more_light');
    assert.equal(hint([4, 4, 4], [3, 3, 3], 44), 'uncover_camera');
    assert.equal(hint([255, 255, 255], [255, 250, 245], 44), 'reduce_light');
    assert.equal(hint(WALL, [110, 130, 150], 44), 'show_face');
    assert.equal(hint(WALL, SKINS.pale, 44, new Float32Array(96 * 72)), 'hold_still');
  },
  'a face found by the browser places better than colour'() {
    const seen = hints.look(picture(WALL, SKINS.pale, 96, 72, 44), 96, 72, null);
    const box = (x, y, size) => ({x: x - size * 0.375, y: y - size / 2, width: size * 0.75, height: size});
    assert.equal(hints.hintOf(seen, box(0.5, 0.5, 0.5)), 'ready');
    assert.equal(hints.hintOf(seen, box(0.5, 0.5, 0.2)), 'move_closer');
    assert.equal(hints.hintOf(seen, box(0.5, 0.5, 0.9)), 'move_back');
    assert.equal(hints.hintOf(seen, box(0.8, 0.5, 0.5)), 'centre_face');
  },
  async 'a capture file is what the server reads'() {
    const frames = [{jpeg: new Blob(['first']), ms: 0}, {jpeg: new Blob(['second!']), ms: 66.66}];
    const blob = files.captureFile(
      {nonce: 'n', frames, shown: [{what: 'blink', ms: 12.34}], client: {sdk: 'x', text: 'ä'}});
    const bytes = Buffer.from(await blob.arrayBuffer());
    assert.equal(bytes.subarray(0, 8).toString(), 'BFCAPT1\n');
    const size = bytes.readUInt32LE(8);
    const header = JSON.parse(bytes.subarray(12, 12 + size).toString());
    assert.deepEqual(header, {
      nonce: 'n', frames: [{bytes: 5, ms: 0}, {bytes: 7, ms: 66.7}], shown: [{what: 'blink', ms: 12.3}],
      client: {sdk: 'x', text: 'ä'},
    });
    assert.equal(bytes.subarray(12 + size).toString(), 'firstsecond!');
  },
  'languages are found, and have every text'() {
    assert.equal(texts.chooseLanguage(['fr', 'de-AT', 'en']), 'de');
    assert.equal(texts.chooseLanguage([null, undefined, 'xx']), 'en');
    assert.deepEqual(['ar', 'de', 'he-IL'].map(texts.isRightToLeft), [true, false, true]);
    const codes = JSON.parse(readFileSync(path.join(SOURCE, '../../api/guidance.json'))).guidance.map(({code}) => code);
    for (const language of texts.languages()) {
      const speak = new texts.Speaker(language);
      for (const code of codes) assert.ok(speak.guidance(code), `${language} lacks ${code}`);
      assert.match(speak.say('intro_active', {seconds: 9}), /9|٩/);
      assert.equal(speak.guidance('no_such_code'), null);
    }
  },
  'placeholders are the same in every language'() {
    const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
    const english = new texts.Speaker('en');
    const source = readFileSync(path.join(SOURCE, 'texts/en.ts'), 'utf8');
    const keys = [...source.matchAll(/^ {2}(\w+): '/gm)].map(([, key]) => key);
    assert.ok(keys.length > 100);
    for (const language of texts.languages()) {
      const speak = new texts.Speaker(language);
      for (const key of keys) {
        assert.equal(holes(speak.say(key)), holes(english.say(key)), `${language}: ${key}`);
        if (language === 'en') continue;
        assert.notEqual(speak.say(key), english.say(key), `${language}: ${key} is not translated`);
      }
    }
  },
  'no text accuses'() {
    const blame = /\b(fraud|fake|spoof|attack|suspicious|invalid|failed|wrong|error|reject|deny|illegal)\b/i;
    for (const line of readFileSync(path.join(SOURCE, 'texts/en.ts'), 'utf8').split('\n')) {
      const text = line.replace(/^\s*\w+:/, '').replaceAll('done nothing wrong', '');
      if (/^\s*\w+: '/.test(line)) assert.doesNotMatch(text, blame);
    }
  },
  'a language can be added'() {
    texts.addTexts('fr', {title: 'Un regard', guidance: {hold_still: 'Ne bougez pas.'}});
    const speak = new texts.Speaker(texts.chooseLanguage(['fr-CA']));
    assert.equal(speak.say('title'), 'Un regard');
    assert.equal(speak.guidance('hold_still'), 'Ne bougez pas.');
    assert.match(speak.say('again'), /Try again/);
  },
  'what is shipped is small and loads nothing from elsewhere'() {
    const bundle = readFileSync(path.join(process.env.BONAFIDE_WEB, 'bonafide-capture.js'));
    const packed = zlib.gzipSync(bundle, {level: 9}).length;
    assert.ok(packed < BUNDLE_MAX, `${packed} bytes compressed`);
    const addresses = bundle.toString().match(/\b(https?|wss?):\/\/[^"'`\s)]+/g) ?? [];
    assert.deepEqual(addresses.filter((address) => address !== 'http://www.w3.org/2000/svg'), []);
    assert.doesNotMatch(bundle.toString(), /\b(eval|innerHTML|document\.write)\b/);
  },
  'every module is known to the build'() {
    const list = readFileSync(path.join(SOURCE, '../meson.build'), 'utf8');
    const walk = (folder) => readdirSync(folder, {withFileTypes: true}).flatMap((entry) => entry.isDirectory() ?
      walk(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
    for (const file of walk(SOURCE)) {
      const name = path.relative(path.dirname(SOURCE), file);
      if (!name.endsWith('.d.ts')) assert.ok(list.includes(`'${name}'`), `${name} is not in web/meson.build`);
    }
  },
};

process.exitCode = await run(cases) ? 0 : 1;
