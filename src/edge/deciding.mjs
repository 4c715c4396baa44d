// The runtime's side of a decision from outside. No decision is made here.
import { gather } from "./bodies.mjs";
import { on_decided } from "./index.js";

const HEADERS = { "content-type": "application/json", accept: "application/json" };

/**
 * Asks a policy decision point, by a binding or by none; `on_decided` goes on with the statuses and
 * bodies of its answers, in turn. `questions`: JSON texts, a NUL between them, which none of them
 * has. All are answered after `milliseconds`, or are not; `limit`: bytes of an answer.
 */
export function decide(exchange, binding, url, questions, milliseconds, limit) {
  const { env, id } = exchange;
  const fetcher = binding ? env[binding] : globalThis;
  const signal = AbortSignal.timeout(milliseconds);
  const init = (body) => ({ method: "POST", headers: HEADERS, body, redirect: "manual", signal });
  const answers = questions.split("\0").map((body) => ask(() => fetcher.fetch(url, init(body)), limit));
  return Promise.all(answers).then((all) => on_decided(exchange, id, all.flat()));
}

/** The status and the body of one answer; or nothing, and why. */
async function ask(fetch, limit) {
  try {
    const { status, body } = await fetch();
    return [status, await gather(body, limit)];
  } catch (error) {
    return [undefined, String(error)];
  }
}
