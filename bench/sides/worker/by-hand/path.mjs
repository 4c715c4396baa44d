// Where a request goes: its path and query as they were sent, and whether some reader could take
// the path for another one. An origin, or a proxy before it, may decode a path more than once, fold
// its characters, and cut its segments; here it is read as the most lenient of them would.

const PARTS = /^[^:]*:\/\/[^/?#]*([^?#]*)(\?[^#]*)?/;
/** Without a dot, a percent sign or a backslash there are no dots in any spelling. */
const HARMLESS = /^[!-$&-\-/-[\]-~]*$/;
const ENCODED = /%([0-9a-f]{2})$/i;

/** { path, query } of an absolute URL, without parsing it. */
export function placeOf(url) {
  const [, path, query = ""] = PARTS.exec(url);
  return { path, query };
}

/** Whether some reader could see a dot segment, or read what nobody can foresee. */
export function leadsElsewhere(path) {
  if (HARMLESS.test(path)) return false;
  const text = lenient(path);
  return text === undefined || text.split(/[/\\]/).some((segment) => isDots(segment.split(/[;?#]/)[0]));
}

/** One or two dots, or any number with blanks among them, after which some reader cuts. */
const isDots = (segment) => /^ *\.{1,2}( |$)/.test(segment) || (/^[. ]+$/.test(segment) && segment.includes(".") && segment.includes(" "));

/** The path as ASCII, as far as there is a likeness in it; undefined: no reading is sure. */
function lenient(path) {
  const decoded = decodedFully(bytesOf(path));
  if (path.includes(" ") || /[\0-\x1f\x7f]/.test(decoded) || isOverlong(decoded)) return undefined;
  const text = likeness(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(decoded, (c) => c.charCodeAt(0))));
  const isFinal = decodedFully(bytesOf(text)) === bytesOf(text) && !/%u[0-9a-f]{4}/i.test(text);
  return isFinal ? text : undefined;
}

/** UTF-8, a character for each byte. */
const bytesOf = (text) => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

/** Percent-decoded until there is nothing left to decode. */
function decodedFully(text) {
  let decoded = "";
  for (const c of text) {
    decoded += c;
    for (let match; (match = ENCODED.exec(decoded)); ) decoded = decoded.slice(0, -3) + String.fromCharCode(parseInt(match[1], 16));
  }
  return decoded;
}

/** A character in more bytes than it takes, such as C0 AE for a dot. */
function isOverlong(bytes) {
  const least = { 0xe0: 0x20, 0xf0: 0x10, 0xf8: 0x08, 0xfc: 0x04 };
  for (let i = 0; i + 1 < bytes.length; i++) {
    const [first, bits] = [bytes.charCodeAt(i), bytes.charCodeAt(i + 1) & 0x3f];
    if (first === 0xc0 || first === 0xc1 || bits < (least[first] ?? 0)) return true;
  }
  return false;
}

const LIKE = [
  [/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)],
  [/[\u2024\u3002\ufe12\ufe52\uff61]/g, "."], [/[\u2025\ufe30]/g, ".."], [/[\u2026\ufe19]/g, "..."],
  [/[\u2044\u2215\u29f8]/g, "/"], [/[\u00a5\u20a9\u2216\u29f5\u29f9\ufe68]/g, "\\"],
  [/[\u037e\ufe14\ufe54]/g, ";"], [/[\ufe16\ufe56]/g, "?"], [/\ufe5f/g, "#"], [/[\u066a\ufe6a]/g, "%"],
  [/[\u017f]/g, "s"], [/\u212a/g, "k"], [/[\u0131\u0130]/g, "i"], [/[\u00df\u1e9e]/g, "ss"],
  [/\ufb00/g, "ff"], [/\ufb01/g, "fi"], [/\ufb02/g, "fl"], [/\ufb03/g, "ffi"], [/\ufb04/g, "ffl"], [/[\ufb05\ufb06]/g, "st"],
  [/\+|\p{White_Space}/gu, " "], [/[\p{Cc}\p{Default_Ignorable_Code_Point}\ufffd]/gu, ""],
];

/** What readers who fold width or case, or fit a text into a code page, take characters for. */
const likeness = (text) => LIKE.reduce((folded, [pattern, like]) => folded.replace(pattern, like), text);
