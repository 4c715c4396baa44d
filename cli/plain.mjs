// Text of others on a terminal: kids, tool names, messages of servers and of other programs. None
// of it may move the cursor, begin a line of its own, or turn the direction in which a line is
// read.
//
// src/plain.rs is the same for the commands in Rust.

// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

/**
 * Control characters (C0, DEL, C1), separators of lines, and marks that turn the direction of what
 * follows.
 */
const ODD = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** One line. */
export const plain = (text) => String(text).replace(ODD, "?");

/** Several lines, such as another program's message; its colours go. */
export function plainLines(text) {
  const lines = util.stripVTControlCharacters(String(text)).split("\n");
  return lines.map((line) => plain(line.replace(/\r$/, "").replaceAll("\t", " "))).join("\n");
}

const escaped = (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** The same JSON, in which such characters stand in strings only, with each of them escaped. */
export const plainJsonLine = (json) => json.replace(ODD, escaped);

/** The JSON of a value, with such characters escaped. */
export const plainJson = (value) => JSON.stringify(value, null, 2).replace(ODD, (odd) => (odd === "\n" ? odd : escaped(odd)));
