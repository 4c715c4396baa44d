// Waits for the head of an origin's answer; its body may take as long as it likes. No decision is
// made here.
import { on_failure, on_response, on_slow } from "./index.js";

/**
 * What wasm makes of the answer, or of there being none after `limit` milliseconds. After `notice`
 * milliseconds it hears of the waiting.
 */
export function patiently(answer, exchange, notice, limit) {
  let timer;
  let over = false;
  const elapsed = new Promise((resolve) => {
    const giveUp = () => {
      over = true;
      resolve(on_failure(exchange, "late", ""));
    };
    const notify = () => {
      on_slow(exchange);
      timer = setTimeout(giveUp, limit - notice);
    };
    timer = limit > notice ? setTimeout(notify, notice) : setTimeout(giveUp, limit);
  });
  const inTime = (go) => (outcome) => {
    clearTimeout(timer);
    return over ? undefined : go(outcome);
  };
  const come = answer.then(
    inTime((response) => on_response(response, response.status, exchange)),
    inTime((error) => on_failure(exchange, "unreachable", String(error))),
  );
  return Promise.race([come, elapsed]);
}
