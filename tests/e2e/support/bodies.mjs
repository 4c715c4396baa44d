// JSON-RPC bodies, sound ones and ones bent in every way that has ever set two JSON readers at
// odds. Everything follows from the number of the case, so that a failing case can be made again.

/** Numbers below `n`, the same ones for the same seed (mulberry32). */
export function numbers(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const META = { "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" } };
const rpc = (id, method, params) => ({ jsonrpc: "2.0", ...(id !== undefined && { id }), method, ...(params && { params }) });

/** What a client may send; every name is that of one case alone. */
const SOUND = [
  (n) => rpc(n, "tools/call", { name: `tool-${n}`, arguments: { text: "Grüße, 世界 \u{1f980}", list: [1, 2.5e3, null, true] } }),
  (n) => rpc(n, "tools/call", { arguments: { name: `secret-${n}`, method: "x", uri: "y", params: { name: "z" } }, name: `tool-${n}`, _meta: META }),
  (n) => rpc(`case-${n}`, "tools/call", { name: `"quoted"/${n}\n\u00e9`, arguments: {} }),
  (n) => rpc(n, "prompts/get", { name: `prompt-${n}`, arguments: { a: "b" } }),
  (n) => rpc(n, "resources/read", { uri: `file:///docs/${n}.txt?token=${n}` }),
  (n) => rpc(n, "tools/list", { cursor: `${n}` }),
  (n) => rpc(n, `ping-${n}`),
  (n) => rpc(n, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: `client-${n}`, version: "1" } }),
  (n) => rpc(undefined, "notifications/progress", { progressToken: n, progress: 1 }),
  (n) => ({ jsonrpc: "2.0", id: n, result: { name: "x", method: "y" } }),
  (n) => rpc(n, "vendor/both", { name: `thing-${n}`, uri: `thing://${n}` }),
  (n) => [rpc(n, "tools/call", { name: `tool-${n}` }), rpc(undefined, "notifications/initialized")],
];

/** The names that carry a decision, and where JSON readers have been seen to look for them. */
const NAMES = ["method", "params", "name", "uri", "id", "jsonrpc"];
const FOLDED = [
  ["params", "PARAMS"], ["params", "param\u017f"], ["method", "Method"], ["method", "METHOD"], ["name", "Name"], ["name", "nAME"], ["uri", "URI"], ["uri", "ur\u0131"],
  ["uri", "ur\u0130"], ["taskId", "tas\u212aId"], ["taskId", "taskid"], ["id", "ID"], ["id", "\u0131d"], ["jsonrpc", "j\u017fonrpc"], ["params", "params "], ["name", "name\u0000"],
  ["name", "\ufeffname"], ["name", "na\u006de"],
];

const escaped = (text) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const insert = (bytes, at, piece) => Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at)]);
// Bytes above 0x7f stay what they are.
const replaced = (bytes, from, to) => Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");
const utf8 = (text) => Buffer.from(text).toString("latin1"); // to be put into such a text

/**
 * Another member before or after one of the same object that is there: the text of it, by the place
 * of a member name.
 */
function beside(bytes, name, member, after) {
  const text = bytes.toString("latin1");
  const at = text.indexOf(`"${name}":`);
  if (at < 0) return bytes;
  if (!after) return Buffer.from(`${text.slice(0, at)}${utf8(member)},${text.slice(at)}`, "latin1");
  const end = text.lastIndexOf("}", text.length - (name === "name" || name === "uri" ? 2 : 1));
  return end < 0 ? bytes : Buffer.from(`${text.slice(0, end)},${utf8(member)}${text.slice(end)}`, "latin1");
}

/** A value for a second member that would open a door: each differs from the first one's. */
const other = (name, n) =>
  ({ method: '"tools/call"', params: `{"name":"secret-${n}"}`, name: `"secret-${n}"`, uri: `"secret://${n}"`, taskId: `"secret-${n}"`, id: "7", jsonrpc: '"1.0"' })[name];

/** mutators: (bytes, random, n) → bytes. */
export const MUTATORS = {
  "bits flipped": (bytes, random) => {
    const bent = Buffer.from(bytes);
    for (let i = random(3); i >= 0 && bent.length; i--) bent[random(bent.length)] ^= 1 << random(8);
    return bent;
  },
  "a byte replaced": (bytes, random) => {
    const bent = Buffer.from(bytes);
    const byte = '{}[]"\\:,\0 \n\t/-.eE+0\x0b\x0c\x7f\x80\xa0\xc0\xed\xff'.charCodeAt(random(32));
    if (bent.length) bent[random(bent.length)] = byte;
    return bent;
  },
  truncated: (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  "a piece lost": (bytes, random) => {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))]);
  },
  "a piece twice": (bytes, random) => {
    const at = random(bytes.length + 1);
    return insert(bytes, at, bytes.subarray(at, at + 1 + random(40)));
  },
  "a member twice": (bytes, random, n) => {
    const name = NAMES[random(NAMES.length)];
    return beside(bytes, name, `"${name}":${other(name, n)}`, random(2));
  },
  "a member twice, once escaped": (bytes, random, n) => {
    const name = NAMES[random(NAMES.length)];
    return beside(bytes, name, `"${escaped(name)}":${other(name, n)}`, random(2));
  },
  "a member twice, in another case": (bytes, random, n) => {
    const [name, folded] = FOLDED[random(FOLDED.length)];
    return beside(bytes, name === "taskId" ? "name" : name, `${JSON.stringify(folded)}:${other(name, n)}`, random(2));
  },
  "a name in another case": (bytes, random) => {
    const [name, folded] = FOLDED[random(FOLDED.length)];
    return replaced(bytes, `"${name}":`, () => `${utf8(JSON.stringify(folded))}:`);
  },
  "a name escaped": (bytes, random) => {
    const name = NAMES[random(NAMES.length)];
    return replaced(bytes, `"${name}":`, () => `"${escaped(name)}":`);
  },
  "a value escaped": (bytes, random) => replaced(bytes, /"(tools|prompts|resources|tool-|file)/, (_, text) => `"${random(2) ? escaped(text) : `${text}\\/\\u002f`}`),
  "a byte order mark": (bytes, random) => Buffer.concat([Buffer.from([[0xef, 0xbb, 0xbf], [0xfe, 0xff], [0xff, 0xfe]][random(3)]), bytes]),
  "another encoding": (bytes, random) => {
    const text = bytes.toString();
    const wide = Buffer.from(text, "utf16le");
    return [
      () => wide,
      () => Buffer.concat([Buffer.from([0xff, 0xfe]), wide]),
      () => (wide.length % 2 ? wide : Buffer.from(wide).swap16()),
      () => Buffer.from([...text].map((c) => `${c}\0\0\0`).join(""), "latin1"),
      () => Buffer.from(text.replaceAll('"', "+ACI-")),
      () => Buffer.from(text, "latin1"),
    ][random(6)]();
  },
  "half a character": (bytes, random) => {
    const half = ["\\ud800", "\\udc00", "\\ud83d\\ud83d", "\\udc00\\ud800", "\\u00", "\\x41", "\\'", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xe4\xb8"][random(11)];
    return replaced(bytes, /"(tool-|prompt-|file|tools|name|method)/, (_, text) => `"${random(2) ? half + text : text + half}`);
  },
  "deep nesting": (bytes, random) => {
    const depth = [2, 20, 126, 127, 128, 129, 500, 20_000][random(8)];
    const [open, close, core] = random(2) ? ["[", "]", "1"] : ['{"name":', "}", '"secret"'];
    const nested = open.repeat(depth) + core + (random(8) ? close.repeat(depth) : "");
    return replaced(bytes, /"(arguments|cursor|text|_meta)":("[^"]*"|\{\})?/, (all, name, value) => (value ? `"${name}":${nested}` : `"deep":${nested},${all}`));
  },
  "a number": (bytes, random, n) => {
    const forms = [
      "1e400", "-1e400", "-0", "1.0", "0x10", "01", "+1", ".5", "1.", "1e", "123456789012345678901234567890", "1E+2", "NaN", "Infinity", "-Infinity", "1_000", "٣", "-", `${n}n`,
      "9".repeat(5000),
    ];
    return replaced(bytes, /"(id|a|progressToken)":("[^"]*"|\d+)/, (_, name) => `"${name}":${utf8(forms[random(forms.length)])}`);
  },
  "not quite JSON": (bytes, random, n) => {
    const text = bytes.toString("latin1");
    const last = text.length - 1;
    return Buffer.from([
      () => `/* */${text}`,
      () => `${text.slice(0, 1)}// "name":"secret-${n}"\n${text.slice(1)}`,
      () => text.replace(",", `,/*"name":"secret-${n}",*/`),
      () => `#\n${text}`,
      () => `${text.slice(0, last)},${text.slice(last)}`,
      () => text.replace("{", "{,"),
      () => text.replaceAll('"', "'"),
      () => text.replace(/"(\w+)":/, "$1:"),
      () => text.replace(":", "="),
      () => text.replace(",", ";"),
      () => text.replace(",", " "),
      () => `)]}'\n${text}`,
      () => text.replaceAll("true", "True").replaceAll("null", "None"),
    ][random(13)](), "latin1");
  },
  "something after it": (bytes, random, n) => {
    const more = ["{}", "\0", "x", ` {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"secret-${n}"}}`, "\n\n", " ", ",", "]", "}", "\x1a", "null", "\u2028"];
    return Buffer.concat([bytes, Buffer.from(more[random(more.length)])]);
  },
  "something before it": (bytes, random) => Buffer.concat([Buffer.from(["\n", " \t\r\n", "\0", "\u00a0", "\x0b", "[", "null,", "\x1e", "data: "][random(9)]), bytes]),
  "blanks between": (bytes, random) => {
    const blank = [" ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\u00a0", "\u2028", "\u3000", "\ufeff", "\0"][random(11)];
    return replaced(bytes, /[:,{]/, (mark) => mark + utf8(blank));
  },
  "a zero byte": (bytes, random) => {
    const zero = random(2) ? "\0" : "\\u0000";
    return replaced(bytes, /"(tool-|prompt-|file|tools|name"|method")/, (_, text) => `"${text.endsWith('"') ? `${text.slice(0, -1)}${zero}"` : zero + text}`);
  },
  "other params": (bytes, random, n) => {
    const values = [`["secret-${n}"]`, `[{"name":"secret-${n}"}]`, `"secret-${n}"`, "null", "1", "{}", `{"name":{"name":"secret-${n}"}}`, "true"];
    return replaced(bytes, /"params":\{.*\}(?=\}|\]|$)/s, () => `"params":${values[random(values.length)]}`);
  },
  "a name or method of another type": (bytes, random) => {
    const values = ["1", "null", "true", "{}", '["tools/call"]', '{"toString":"tools/call"}', '""', '" tools/call"', '"TOOLS/CALL"', '"tools/call\\n"'];
    return replaced(bytes, new RegExp(`"(${NAMES[random(4)]})":"[^"]*"`), (_, name) => `"${name}":${values[random(values.length)]}`);
  },
  "both a name and a URI": (bytes, random, n) => (random(2) ? beside(bytes, "name", `"uri":"secret://${n}"`, random(2)) : beside(bytes, "uri", `"name":"secret-${n}"`, random(2))),
  "a batch": (bytes, random, n) => {
    const text = bytes.toString("latin1");
    const secret = `{"jsonrpc":"2.0","id":${n},"method":"tools/call","params":{"name":"secret-${n}"}}`;
    const forms = [
      `[${text}]`, `[${text},${text}]`, `[[${text}]]`, `[${text},${secret}]`, `[${secret},${text}]`, `{"0":${text}}`, "[]", "[[]]", "[{}]", `[${text},null]`, `[${text},]`,
      `[${Array(60).fill(text).join(",")}]`, `{"messages":[${secret}]}`,
    ];
    return Buffer.from(forms[random(forms.length)], "latin1");
  },
  "names that objects have": (bytes, random, n) => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"];
    const where = ["method", "name", "params"][random(3)];
    return beside(bytes, where, `"${names[random(names.length)]}":{"name":"secret-${n}","method":"tools/call"}`, random(2));
  },
  "nothing of it": (bytes, random) => Buffer.from(["", " ", "null", "true", "0", '""', "{}", "[", "{", "}", '"', "\0"][random(12)]),
};

const KINDS = Object.keys(MUTATORS);

/**
 * { bytes, kinds } of one case: a sound body, and one to three things that were done to it (every
 * twentieth: none).
 */
export function bodyOf(n) {
  const random = numbers(n);
  let bytes = Buffer.from(JSON.stringify(SOUND[random(SOUND.length)](n), null, random(4) ? 0 : 1 + random(2)));
  const kinds = n % 20 ? Array.from({ length: 1 + Math.floor(random(6) / 3) + Math.floor(random(12) / 11) }, () => KINDS[random(KINDS.length)]) : [];
  for (const kind of kinds) bytes = MUTATORS[kind](bytes, random, n);
  return { bytes, kinds };
}
