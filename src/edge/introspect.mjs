// Asks an authorization server about a token. No decision is made here.
import { gather } from "./bodies.mjs";
import { on_introspection } from "./index.js";

/**
 * One introspection: its parts are joined by NUL. Redirects are not followed, and `milliseconds`
 * end it, whatever it waits for. Whatever it comes to, an error too, is for wasm to judge.
 */
export function introspect(exchange, request, resource, milliseconds, limit) {
  const [url, body, authorization, binding, accept, type, agent] = request.split("\0");
  const { env, id } = exchange;
  exchange.resource = resource;
  const headers = { Accept: accept, "Content-Type": type, "User-Agent": agent };
  if (authorization) headers.Authorization = authorization;
  const signal = AbortSignal.timeout(milliseconds);
  const fetcher = binding ? env[binding] : globalThis;
  const asked = fetcher.fetch(url, { method: "POST", headers, body, signal, redirect: "manual", cache: "no-store" });
  const end = asked.then((response) => answered(response, limit)).then(
    ([status, type, bytes]) => on_introspection(exchange, id, status, type, bytes),
    () => on_introspection(exchange, id, 0, "", undefined),
  );
  // A client that leaves gives its place free when the server has answered, and not later.
  exchange.context.waitUntil(end);
  return end;
}

const answered = async ({ status, headers, body }, limit) => [status, headers.get("content-type") ?? "", await gather(body, limit)];
