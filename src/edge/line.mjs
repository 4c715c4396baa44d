// A request's line in the log: what wasm wrote of it, and what only the runtime knows. A value of
// others is taken in no form but its own, so that none of it can break the line. No decision is
// made here.

import { report } from "./audit.mjs";

/** Cloudflare's name of a request. */
const RAY = /^[0-9A-Za-z-]{1,128}$/;
/** The place where the request came in: an airport's code. */
const COLO = /^[A-Za-z]{3,8}$/;
/** The name of a deployed version of the Worker. */
const VERSION = /^[0-9A-Za-z-]{1,128}$/;
/**
 * W3C Trace Context, section 3.2: no version is ff, neither id is only zeros, and version 00 ends
 * with its flags.
 */
const TRACEPARENT = /^(?!ff|00-.{53})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** The same for all requests of an isolate, once one has ended; empty if there is none. */
let version;

/**
 * Writes a request's line, which wants its event and its last members; none if it is empty. And
 * reports the request, if there is something to report.
 */
export function write(exchange, line, status) {
  const { request, env, started, named, point } = exchange;
  if (!line && !point) return;
  const ms = Math.max(0, Date.now() - started);
  version ??= VERSION.exec(env.VERSION?.id ?? "")?.[0] ?? "";
  if (point) report(exchange, version, ms);
  if (!line) return;
  const { headers, cf } = request;
  const id = named ? `,"request_id":"${named[1]}"` : "";
  const end = `${id}${ray(headers)}${member("colo", cf?.colo, COLO)}${trace(headers)}${member("version", version, VERSION)}`;
  console.log(`{"event":"request",${line},"status":${status},"ms":${ms}${end}}`);
}

/** The trace-id of a request, if its header is valid. */
export const traceOf = (headers) => TRACEPARENT.exec(headers.get("traceparent") ?? "")?.[1];

/** Cloudflare's name of a request, or 128 random bits. */
export const identifier = (headers) =>
  RAY.exec(headers.get("cf-ray") ?? "")?.[0] ?? crypto.getRandomValues(new Uint8Array(16)).toHex();

const ray = (headers) => member("cf_ray", headers.get("cf-ray"), RAY);

const trace = (headers) => {
  const id = traceOf(headers);
  return id ? `,"trace":"${id}"` : "";
};

/** A member of the line, if the value has this form. */
const member = (name, value, form) => (form.test(value ?? "") ? `,"${name}":"${value}"` : "");
