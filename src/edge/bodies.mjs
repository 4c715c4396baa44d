// The runtime's side of bodies that a policy reads. No decision is made here. Everything else
// streams by unread: `glue.mjs`.
import { Bytes } from "./bytes.mjs";
import { pass } from "./glue.mjs";
import { events, forget, on_body, on_failure, on_list, whole_events } from "./index.js";

const MIRROR = ["mcp-protocol-version", "mcp-method", "mcp-name", "content-type", "content-encoding"];

/**
 * Reads a request's body for wasm, which keeps the request under `id`: its bytes, unless it is
 * larger than `limit`, and what to send on in its place.
 */
export function read(request, limit, whole, id) {
  const headers = MIRROR.map((name) => request.headers.get(name));
  return take(request, limit, whole).then(
    ({ bytes, body }) => on_body(id, request, bytes, body, ...headers),
    (error) => {
      forget(id);
      throw error;
    },
  );
}

/** The origin's response, filtered by wasm event by event. */
export function passEvents(response, deleted, exchange) {
  let held = new Bytes();
  let place = [false, false];
  const filter = new TransformStream({
    transform(chunk, out) {
      const [whole, ...next] = whole_events(chunk, held.length, ...place);
      place = next;
      if (whole) {
        out.enqueue(events(exchange, held.with(chunk.subarray(0, whole))));
        held = new Bytes();
      }
      held.with(chunk.subarray(whole));
    },
    flush: (out) => out.enqueue(events(exchange, held.with([]))),
  });
  return pass(withBody(response.body.pipeThrough(filter), response), deleted, exchange);
}

/** The origin's whole response, for wasm to filter. */
export const passList = (response, limit, exchange) =>
  gather(response.body, limit).then(
    (bytes) => on_list(response, bytes, exchange),
    (error) => on_failure(exchange, "unreachable", String(error)),
  );

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
async function gather(stream, limit) {
  const bytes = new Bytes();
  for await (const chunk of stream ?? []) {
    if (bytes.length + chunk.length > limit) return undefined;
    bytes.with(chunk);
  }
  return bytes.with([]);
}
