// Waits for the head of an origin's answer; its body may take as long as it likes. No decision is made here.
import { answered, late, unreachable, waiting } from "./index.js";

/** What wasm makes of the answer, or of there being none after `limit` milliseconds. After `notice` milliseconds it hears of the waiting. */
export function patiently(answer, exchange, notice, limit) {
  let timer;
  let over = false;
  const elapsed = new Promise((resolve) => {
    const giveUp = () => {
      over = true;
      resolve(late(exchange));
    };
    const notify = () => {
      waiting(exchange);
      timer = setTimeout(giveUp, limit - notice);
    };
    timer = limit > notice ? setTimeout(notify, notice) : setTimeout(giveUp, limit);
  });
  const inTime = (go) => (outcome) => {
    clearTimeout(timer);
    return over ? undefined : go(outcome);
  };
  const come = answer.then(
    inTime((response) => answered(response, response.status, exchange)),
    inTime((error) => unreachable(exchange, String(error))),
  );
  return Promise.race([come, elapsed]);
}
