/** A camera before which a simulated person does what a plan asks, in time: tools/simulate renders the performance,
 * and a dark lead-in tells the test when to start the capture. */

import {execFile} from 'node:child_process';
import {mkdtemp, open, readFile, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';

const RATE = 15;
const DARK_S = 3;
/** From the moment it gets light until the capture begins: the click, the page's look around, "it starts now". */
const LEAD_S = 1.1;
const TAIL_S = 4;

/** The clip for a plan; resolves with its path. */
export async function perform(photo, plan) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bonafide-performer-'));
  await writeFile(path.join(folder, 'plan.json'), JSON.stringify(plan));
  await promisify(execFile)(process.env.BONAFIDE_SIMULATE, [
    '--still', photo, '--plan', path.join(folder, 'plan.json'), '--rate', String(RATE),
    '--y4m', path.join(folder, 'performance.y4m'), '--data', process.env.BONAFIDE_SOURCE_DIR,
  ]);
  const whole = await readFile(path.join(folder, 'performance.y4m'));
  const head = whole.subarray(0, whole.indexOf('\n') + 1);
  const [width, height] = /W(\d+) H(\d+)/.exec(head.toString()).slice(1).map(Number);
  const size = 6 + width * height * 1.5;
  const frame = (index) => whole.subarray(head.length + index * size, head.length + (index + 1) * size);
  const dark = Buffer.from(frame(0));
  dark.fill(18, 6, 6 + width * height);
  const file = await open(path.join(folder, 'camera.y4m'), 'w');
  await file.write(head);
  for (let number = 0; number < DARK_S * RATE; number++) await file.write(dark);
  for (let number = 0; number < LEAD_S * RATE; number++) await file.write(frame(0));
  await file.write(whole.subarray(head.length));
  const last = frame((whole.length - head.length) / size - 1);
  for (let number = 0; number < TAIL_S * RATE; number++) await file.write(last);
  await file.close();
  return path.join(folder, 'camera.y4m');
}

/** Presses "Start now" as soon as the picture gets light. */
export function startWhenLight(page) {
  return page.evaluate(() => new Promise((resolve, reject) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 4;
    const context = canvas.getContext('2d', {willReadFrequently: true});
    const end = performance.now() + 20_000;
    let wasDark = false;
    const look = () => {
      const root = document.querySelector('bonafide-capture').shadowRoot;
      const video = root.querySelector('.stage[open]:not([data-phase="wait"]) video');
      if (performance.now() > end) return reject(new Error('it did not get light'));
      if (video?.videoWidth) {
        context.drawImage(video, 0, 0, 4, 4);
        const {data} = context.getImageData(0, 0, 4, 4);
        const light = data.reduce((sum, value, index) => index % 4 === 1 ? sum + value : sum, 0) / 16;
        if (light > 40 && wasDark) {
          root.querySelector('.stage .button.main').click();
          return resolve(undefined);
        }
        wasDark ||= light < 20;
      }
      requestAnimationFrame(look);
    };
    look();
  }));
}
