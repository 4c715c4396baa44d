// Waiting for a condition, always with a bound: no test sleeps for a guessed time.

const STEP_MS = 5;

/** Polls `probe` until it gives something truthy, and gives that. */
export async function until(what, probe, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((next) => setTimeout(next, STEP_MS));
  }
}

/** The promise's outcome, or an error that says what was waited for. */
export function bounded(what, promise, ms = 20_000) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
