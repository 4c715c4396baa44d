// One line per request, with the members of the contract in its order.

const DETAIL_CHARS = 256;
const PLAIN = /^[ -~]*$/;
/** What would move a cursor or turn the direction of a line. */
const MOVING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export const lineFor = (method) => ({
  event: "request", method, resource: undefined, issuer: undefined, iss: undefined, alg: undefined, kid: undefined,
  keys: undefined, client: undefined, credential: undefined, outcome: "forwarded", reason: "ok", status: 0, ms: 0,
});

export function write(line) {
  const text = JSON.stringify(line);
  console.log(PLAIN.test(text) ? text : text.replace(MOVING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** What others say, as far as the log takes it. */
export function printable(text) {
  if (text.length <= DETAIL_CHARS && PLAIN.test(text)) return text;
  return [...text.replace(/\p{Cc}/gu, "")].slice(0, DETAIL_CHARS).join("");
}
