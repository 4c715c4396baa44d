// How other JSON readers would understand a body: the last of two members of one name, the first,
// and either without regard to case. Readers like all of these stand behind gateways. JSON.parse
// gives the last one; the others are made here, from a parser that keeps every member.

/**
 * Objects become { members: [[name, value], …] }, everything else what JSON.parse gives. Throws
 * where RFC 8259 does not allow the text.
 */
export function everyMember(text) {
  let at = 0;
  const fail = () => {
    throw new SyntaxError(`not JSON at ${at}`);
  };
  const token = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const blanks = () => token(/[ \t\n\r]*/y);
  const take = (mark) => {
    blanks();
    return text[at] === mark && ++at > 0;
  };
  const string = () => {
    blanks();
    const raw = token(/"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y);
    return raw === undefined ? fail() : JSON.parse(raw);
  };
  const list = (end, item) => {
    const items = [];
    if (take(end)) return items;
    do items.push(item());
    while (take(","));
    return take(end) ? items : fail();
  };
  const value = () => {
    if (take("{")) return { members: list("}", () => [string(), take(":") ? value() : fail()]) };
    if (take("[")) return list("]", value);
    if (text[at] === '"') return string();
    const word = token(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y);
    return word === undefined ? fail() : JSON.parse(word);
  };
  const whole = value();
  blanks();
  return at === text.length ? whole : fail();
}

const fold = (name) => name.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u0131", "i").replaceAll("i\u0307", "i").replaceAll("\u212a", "k");

/** name → picks a member: (members, wanted) → value. */
const PICKS = {
  "the first": (members, wanted) => members.find(([name]) => name === wanted)?.[1],
  "the last": (members, wanted) => members.findLast(([name]) => name === wanted)?.[1],
  "the first in any case": (members, wanted) => members.find(([name]) => fold(name) === fold(wanted))?.[1],
  "the last in any case": (members, wanted) => members.findLast(([name]) => fold(name) === fold(wanted))?.[1],
};

const text = (value) => (typeof value === "string" ? value : undefined);

/**
 * What a message asks for: { method, name, uri }, as far as they are strings. `get(value, name)`
 * reads a member.
 */
function asked(message, get) {
  const params = get(message, "params");
  return { method: text(get(message, "method")), name: text(get(params, "name")), uri: text(get(params, "uri")) };
}

const own = (value, name) => (value && typeof value === "object" && Object.hasOwn(value, name) ? value[name] : undefined);

/**
 * [reader, [{ method, name, uri } of each message]] for every reader; throws if the body is not
 * JSON for one of them.
 */
export function readings(bytes) {
  const body = bytes.toString("utf8"); // as most servers do it: what is no UTF-8 becomes U+FFFD
  const parsed = JSON.parse(body);
  const all = everyMember(body);
  return [
    ["JSON.parse", [parsed].flat().map((message) => asked(message, own))],
    ...Object.entries(PICKS).map(([reader, pick]) => [
      reader, [all].flat().map((message) => asked(message, (value, name) => value?.members && pick(value.members, name))),
    ]),
  ];
}
