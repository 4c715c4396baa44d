// One line per request, with the members of the contract in its order.

const DETAIL_CHARS = 256;
const CLIENT_CHARS = 128;
const JTI_CHARS = 64;
const PLAIN = /^[ -~]*$/;
/** What would move a cursor or turn the direction of a line. */
const MOVING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export const lineFor = (method) => ({
  event: "request", method, resource: undefined, issuer: undefined, iss: undefined, alg: undefined, kid: undefined,
  keys: undefined, client: undefined, jti: undefined, credential: undefined, outcome: "forwarded", reason: "ok", status: 0, ms: 0,
});

export function write(line) {
  const text = JSON.stringify(line);
  console.log(PLAIN.test(text) ? text : text.replace(MOVING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** What others say, as far as the log takes it. */
export function printable(text, chars = DETAIL_CHARS) {
  if (text.length <= chars && PLAIN.test(text)) return text;
  return [...text.replace(/\p{Cc}/gu, "")].slice(0, chars).join("");
}

/** Who holds the token, and which it is. */
export function holder(line, client, jti) {
  if (client) line.client = printable(client, CLIENT_CHARS);
  if (typeof jti === "string" && jti) line.jti = printable(jti, JTI_CHARS);
}

const RAY = /^[0-9A-Za-z-]{1,128}$/;
const COLO = /^[A-Za-z]{3,8}$/;
const TRACEPARENT = /^(?!ff|00-.{53})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** What only the runtime knows of a request. */
export function about(line, { headers, cf }, env) {
  const ray = headers.get("cf-ray");
  if (RAY.test(ray ?? "")) line.cf_ray = ray;
  if (COLO.test(cf?.colo ?? "")) line.colo = cf.colo;
  line.trace = TRACEPARENT.exec(headers.get("traceparent") ?? "")?.[1];
  if (RAY.test(env.VERSION?.id ?? "")) line.version = env.VERSION.id;
}
