// Text that would move the cursor, begin a line of its own or turn a line around, and a look at
// what a command printed of it.
import assert from "node:assert/strict";

/**
 * C0 (an escape sequence, a bell, a line end), DEL, C1 (the same sequence in one byte), a separator
 * of lines, an override of direction.
 */
export const HOSTILE = "k\u001b[2J\u0007\r\nok\u007f\u009b31m\u2028ok\u202edne\u2066";

/** Lines are ended by the command alone. */
export function assertPlain(printed) {
  const odd = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.exec(printed);
  assert.equal(odd, null, odd && `U+${odd[0].codePointAt(0).toString(16)} in ${JSON.stringify(printed)}`);
  assert.doesNotMatch(printed, /^ok(?! +\w[\w.]*:)/m, "a line that is not the command's own");
}
