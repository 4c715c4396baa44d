// The runtime's side of a request's way, so that one crossing from wasm does the work of several. No decision is made here.
// Lists arrive as one text, joined by newlines, which no header's name or value can have.
const { subtle } = crypto;

/** The names in the header list of a request or a response. */
export const names = ({ headers }) => [...headers.keys()].join("\n");

/** A response of the Worker's own. `set`: header name, value, name, value … */
export function answer(status, set, body) {
  const response = new Response(body, { status });
  edit(response.headers, "", set);
  return response;
}

/** One signature check; whatever it comes to, an error too, is for `passage` to judge. */
export function check(parameters, key, signature, input, passage) {
  const settled = (verdict) => passage.checked(verdict);
  return subtle.verify(parameters, key, signature, input).then(settled, settled);
}

/** Sends `request` on to `target`; method, body stream, signal and manual redirects stay as they are. */
export function send(request, target, deleted, set, init, exchange) {
  return dispatch(request, target, deleted, set, init).then(
    (response) => exchange.answered(response, response.status),
    () => exchange.unreachable(),
  );
}

async function dispatch(request, target, deleted, set, init) {
  const outgoing = new Request(target, request);
  edit(outgoing.headers, deleted, set);
  return fetch(outgoing, init);
}

/** `response` with other headers; status and the native body stay, also where there is none (304, HEAD). */
export function pass(response, deleted, set, vary) {
  const answer = new Response(response.body, response);
  edit(answer.headers, deleted, set);
  if (vary) answer.headers.append("Vary", vary);
  return answer;
}

function edit(headers, deleted, set) {
  if (deleted) for (const name of deleted.split("\n")) headers.delete(name);
  const list = set.split("\n");
  for (let i = 0; i < list.length; i += 2) headers.set(list[i], list[i + 1]);
}
