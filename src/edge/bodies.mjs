// The runtime's side of bodies that a policy reads. No decision is made here. Everything else
// streams by unread: `exchange.mjs`.
import { Bytes } from "./bytes.mjs";
import { events, forget, on_body, on_failure, on_list, whole_events } from "./index.js";
import { traceOf } from "./line.mjs";

const MIRROR = ["mcp-protocol-version", "mcp-method", "mcp-name", "content-type", "content-encoding"];

/**
 * Reads a request's body for wasm: its bytes, unless it is larger than `limit`. What to send on in
 * its place stays in the exchange.
 */
export function read(exchange, limit, whole) {
  const { request, id } = exchange;
  const { headers } = request;
  const sent = MIRROR.filter((name) => headers.has(name)).flatMap((name) => [name, headers.get(name)]);
  const trace = traceOf(headers);
  if (trace) sent.push("trace", trace);
  return take(request, limit, whole).then(
    ({ bytes, body }) => {
      exchange.body = body;
      return on_body(exchange, id, bytes, sent.join("\n"));
    },
    (error) => {
      forget(id);
      throw error;
    },
  );
}

/** The origin's whole response, for wasm to filter; `added` comes back with it. */
export const readList = (exchange, limit, added) =>
  gather(exchange.response.body, limit).then(
    (bytes) => on_list(exchange, bytes, added),
    (error) => on_failure(exchange, "unreachable", String(error)),
  );

/** The origin's response, its events filtered by wasm. */
export function throughFilter(exchange) {
  const { response } = exchange;
  let held = new Bytes();
  let place = [false, false];
  const filter = new TransformStream({
    transform(chunk, out) {
      const [whole, ...next] = whole_events(chunk, held.length, ...place);
      place = next;
      if (whole > 0) {
        out.enqueue(events(exchange, held.with(chunk.subarray(0, whole))));
        held = new Bytes();
      }
      held.with(chunk.subarray(whole));
    },
    flush: (out) => out.enqueue(events(exchange, held.with([]))),
  });
  return withBody(response.body.pipeThrough(filter), response);
}

/** A response like another one, with another body. */
export const withBody = (body, { status, statusText, headers }) => new Response(body, { status, statusText, headers });

// The bytes are counted as they come: a body may be longer than its Content-Length says.
async function take(request, limit, whole) {
  if (Number(request.headers.get("content-length")) > limit) return {};
  const [stream, rest] = whole && request.body ? request.body.tee() : [request.body];
  const bytes = await gather(stream, limit);
  return { bytes, body: bytes ?? rest };
}

/** The bytes of a stream, if there are not more than `limit`. */
export async function gather(stream, limit) {
  const bytes = new Bytes();
  for await (const chunk of stream ?? []) {
    if (bytes.length + chunk.length > limit) return undefined;
    bytes.with(chunk);
  }
  return bytes.with([]);
}
