/** Runs cases one after the other, each within its time, and writes TAP for tools/run_tests.py. */

const CASE_MS = 60_000;

function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Cases by name; `only` (or the environment's BONAFIDE_CASE) picks those whose name contains it. */
export async function run(cases, {ms = CASE_MS} = {}) {
  const only = process.env.BONAFIDE_CASE ?? '';
  let number = 0;
  let failed = 0;
  for (const [name, test] of Object.entries(cases)) {
    if (!name.includes(only)) continue;
    number++;
    try {
      await within(ms, test());
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      failed++;
      console.log(`not ok ${number} - ${name}`);
      console.log(String(error?.stack ?? error).split('\n').slice(0, 40).map((line) => `# ${line}`).join('\n'));
    }
  }
  console.log(`1..${number}`);
  return failed === 0 && number > 0;
}
