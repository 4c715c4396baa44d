// Waits for the head of an origin's answer; its body may take as long as it likes. No decision is
// made here.
import { on_failure, on_response, on_slow } from "./index.js";

/**
 * What wasm makes of the answer, or of there being none after `limit` milliseconds. After `notice`
 * milliseconds it hears of the waiting.
 */
export function patiently(answer, exchange) {
  const { notice, limit } = exchange;
  exchange.timer = limit > notice ? setTimeout(slow, notice, exchange) : setTimeout(late, limit, exchange);
  return new Promise((resolve, reject) => {
    exchange.resolve = resolve;
    exchange.reject = reject;
    answer.then(
      (response) => end(exchange, answered, response),
      (error) => end(exchange, unreachable, error),
    );
  });
}

function answered(exchange, response) {
  exchange.response = response;
  const { resource, cors, owner, caller } = exchange;
  return on_response(exchange, response.status, resource, cors !== "", owner !== "", caller !== "");
}

const unreachable = (exchange, error) => on_failure(exchange, "unreachable", String(error));

const tooLate = (exchange) => on_failure(exchange, "late", "");

const late = (exchange) => end(exchange, tooLate);

function slow(exchange) {
  exchange.timer = setTimeout(late, exchange.limit - exchange.notice, exchange);
  on_slow(exchange);
}

/** The first to come is the end. */
function end(exchange, go, outcome) {
  clearTimeout(exchange.timer);
  const { resolve, reject } = exchange;
  if (!resolve) return;
  exchange.resolve = undefined;
  try {
    resolve(go(exchange, outcome));
  } catch (error) {
    reject(error);
  }
}
