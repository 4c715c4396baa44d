// The runtime's side of a request's way, so that one crossing from wasm does the work of several.
// No decision is made here. A list arrives as one text, joined by newlines, which no header's name
// or value can have.
import { on_signature } from "./index.js";
import { patiently } from "./patience.mjs";

const { subtle } = crypto;

/** The names in a header list. */
export const names = ({ headers }) => [...headers.keys()].join("\n");

/** An answer of the Worker's own. `set`: header name, value, name, value … `line`: of the log. */
export function answer(status, set, body, line, started) {
  const response = new Response(body, { status });
  edit(response.headers, [], set);
  log(line, status, started);
  return response;
}

/**
 * One signature check. Whatever it comes to, an error too, is for wasm to judge, which keeps the
 * request under `id`.
 */
export function check(parameters, key, signature, input, id, request, env, context) {
  return subtle.verify(parameters, key, signature, input).then(
    (verdict) => on_signature(id, verdict, request, env, context),
    (error) => on_signature(id, error, request, env, context),
  );
}

/**
 * Sends `request` on to `target`, by `fetcher` if there is one; method, signal and manual redirects
 * stay as they are, and the body stream where none was read.
 */
export function send(request, target, deleted, set, init, cors, vary, line, started, body, sieve, fetcher, owner, notice, limit) {
  const exchange = { request, cors, vary, line, started, sieve, owner };
  const outgoing = new Request(target, body ? withBody(request, body) : request);
  edit(outgoing.headers, lines(deleted), set);
  return patiently((fetcher ?? globalThis).fetch(outgoing, init), exchange, notice, limit);
}

/**
 * The origin's response with other headers; status and the native body stay, also where there is
 * none (304, HEAD).
 */
export function pass(response, deleted, { cors, vary, line, started, added }) {
  const answer = new Response(response.body, response);
  edit(answer.headers, deleted, cors);
  edit(answer.headers, [], added);
  if (vary) answer.headers.append("Vary", vary);
  log(line, answer.status, started);
  return answer;
}

/** Writes a line that wants its two last members. */
export const log = (line, status, started) =>
  console.log(`${line},"status":${status},"ms":${Math.max(0, Date.now() - started)}}`);

const withBody = ({ method, headers, signal }, body) => ({ method, headers, signal, body, redirect: "manual" });

const lines = (text) => (text ? text.split("\n") : []);

function edit(headers, deleted, set) {
  for (const name of deleted) headers.delete(name);
  const list = lines(set);
  for (let i = 0; i < list.length; i += 2) headers.set(list[i], list[i + 1]);
}
