/** Runs cases, each within its time, and writes TAP for tools/run_tests.py. */

const CASE_MS = 60_000;

function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Cases by name; the environment's BONAFIDE_CASE picks those whose name contains it. `lanes` run at the same time. */
export async function run(cases, {ms = CASE_MS, lanes = 1} = {}) {
  const only = process.env.BONAFIDE_CASE ?? '';
  const waiting = Object.entries(cases).filter(([name]) => name.includes(only));
  const count = waiting.length;
  let number = 0;
  let failed = 0;
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, test] = next;
      const error = await within(ms, Promise.resolve().then(test)).then(() => null, (reason) => reason ?? 'no reason');
      number++;
      console.log(`${error ? 'not ok' : 'ok'} ${number} - ${name}`);
      if (!error) continue;
      failed++;
      console.log(String(error.stack ?? error).split('\n').slice(0, 40).map((line) => `# ${line}`).join('\n'));
    }
  };
  await Promise.all(Array.from({length: lanes}, lane));
  console.log(`1..${count}`);
  return failed === 0 && count > 0;
}
