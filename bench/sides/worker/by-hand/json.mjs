// JSON in which no member is there twice. JSON.parse takes the last one of a name and says nothing,
// so what it gives is compared with the text: one colon outside of strings for each member.

const DEEPEST = 127;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const [QUOTE, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [...'":{}[]'].map((c) => c.charCodeAt(0));

/**
 * The object that the bytes are. Throws where they are none: no UTF-8, a byte order mark, a name
 * twice, half a surrogate pair, a number that is none, or deeper than any token is.
 */
export function objectOf(bytes) {
  const text = decoder.decode(bytes);
  const value = JSON.parse(text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new SyntaxError("no object");
  const hasEscapes = text.includes("\\");
  if (membersIn(text, hasEscapes) !== membersOf(value, hasEscapes)) throw new SyntaxError("a member twice");
  return value;
}

/** How many members the text names, or NaN if it is too deep. */
function membersIn(text, hasEscapes) {
  let [members, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at, hasEscapes);
    else if (code === COLON) members += 1;
    else if ((code === OPEN || code === OPEN_LIST) && ++depth > DEEPEST) return NaN;
    else if (code === CLOSE || code === CLOSE_LIST) depth -= 1;
  }
  return members;
}

function endOfString(text, start, hasEscapes) {
  if (!hasEscapes) return text.indexOf('"', start + 1);
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** How many members the value has, at any depth, or NaN if something in it is nothing to trust. */
function membersOf(value, hasEscapes) {
  if (typeof value === "string") return hasEscapes && !value.isWellFormed() ? NaN : 0;
  if (typeof value === "number") return Number.isFinite(value) ? 0 : NaN;
  if (value === null || typeof value !== "object") return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += membersOf(item, hasEscapes);
    return members;
  }
  for (const name of Object.keys(value)) {
    if (hasEscapes && !name.isWellFormed()) return NaN;
    members += 1 + membersOf(value[name], hasEscapes);
  }
  return members;
}
