// Canonical unpadded base64url: no padding, no other characters, no bits left over.

const CHARACTERS = /^[\w-]*$/;
const OPTIONS = { alphabet: "base64url" };
/** What a text may end in, by its length modulo 4: characters whose last bits are zero. */
const ENDS = [undefined, "", "AQgw", "AEIMQUYcgkosw048"];

export function decoded(text) {
  const end = ENDS[text.length % 4];
  if (!CHARACTERS.test(text) || (end !== undefined && !end.includes(text.at(-1)))) throw new SyntaxError("no base64url");
  return Uint8Array.fromBase64(text, OPTIONS);
}
