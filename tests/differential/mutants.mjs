// Signed tokens, each altered in one to three ways: another member, another value, another
// spelling, another encoding. What was altered is signed afterwards, with a key that the issuer
// publishes, unless the alteration is one of the signature.
//
// A token is put together by hand: header and claims are lists of a name and its JSON, so that a
// name can stand there twice, and a number be written in any way.
import { createHmac } from "node:crypto";
import { ALGORITHMS, kindFor, signingKey } from "../e2e/support/keys.mjs";
import { b64u, signatureOf } from "../e2e/support/mint.mjs";
import { random } from "./random.mjs";

const keyOf = (alg) => signingKey(kindFor(alg), alg);
/** A key for each algorithm. EdDSA has a newer name (RFC 9864), so that key says no `alg`. */
export const JWKS = { keys: ALGORITHMS.map((alg) => keyOf(alg).jwk({ kid: alg, use: "sig", ...(alg !== "EdDSA" && { alg }) })) };

/** A signature of the others costs as much as ten or fifty of these. */
const USUAL = ["ES256", "ES256", "EdDSA"];

/**
 * Judging 50 000 mutants takes minutes, which must not decide whether one of them is still good.
 */
const HOUR = 3600;
const DAY = 24 * HOUR;

/** `count` mutants of tokens that are good at `now`: { token, ways }. */
export function* mutants({ count, seed, issuer, audience, now }) {
  const r = random(seed);
  for (let n = 0; n < count; n += 1) {
    const draft = good(n % 16 === 0 ? r.of(ALGORITHMS) : r.of(USUAL), { issuer, audience, now });
    const ways = Array.from({ length: 1 + r.below(3) }, () => r.of(WAYS));
    for (const [, alter] of ways) alter(draft, r);
    yield { token: written(draft, r), ways: ways.map(([name]) => name) };
  }
}

/** A token that everybody takes, before it is written. */
export function good(alg, { issuer, audience, now }) {
  return {
    alg,
    now,
    issuer,
    audience,
    header: members({ alg, kid: alg, typ: "at+jwt" }),
    claims: members({ iss: issuer, aud: audience, sub: "user-1", iat: now - 10, nbf: now - 10, exp: now + DAY, client_id: "c", scope: "a b" }),
    /**
     * What is done to the text of header and claims, to their encoding, to the signature, and to
     * the whole.
     */
    edits: { header: [], claims: [], parts: [], signature: [], token: [] },
  };
}

const members = (object) => Object.entries(object).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]);

export function written(draft, r) {
  const part = (name) => {
    const text = Buffer.from(`{${draft[name].map((member) => member.join(":")).join(",")}}`);
    return b64u(draft.edits[name].reduce((bytes, edit) => edit(bytes, r), text));
  };
  const parts = draft.edits.parts.reduce((all, edit) => edit(all, r), [part("header"), part("claims")]);
  const input = parts.join(".");
  const signature = draft.edits.signature.reduce((bytes, edit) => edit(bytes, input, r), signatureOf(draft.alg, keyOf(draft.alg), input));
  const token = `${input}.${encoded(signature)}`;
  return draft.edits.token.reduce((text, edit) => edit(text, r), token);
}

/** A signature may have been encoded already. */
const encoded = (signature) => (typeof signature === "string" ? signature : b64u(signature));

/** Sets a member to a JSON text; undefined takes it away. */
function set(list, name, json) {
  const at = list.findIndex(([known]) => known === JSON.stringify(name));
  const entry = json === undefined ? [] : [[JSON.stringify(name), json]];
  if (at < 0) list.push(...entry);
  else list.splice(at, 1, ...entry);
}

const member = (part, name, values) => [`${part} ${name}`, (draft, r) => set(draft[part], name, r.of(values instanceof Function ? values(draft, r) : values))];
const text = (...values) => values.map((value) => JSON.stringify(value));

/** What is of no type that these members have. */
const OTHER_TYPES = ["null", "true", "false", "0", "1", "-1", "[]", "{}", '""', '[""]', "[null]", "[[]]", '{"a":1}', undefined];

/**
 * Moments well before and after now, in every way in which a number can be written, and what is
 * none.
 */
const moments = ({ now }) => [
  ...[-1e6, -DAY, -2 * HOUR, 2 * HOUR, DAY, 1e6].map((seconds) => `${now + seconds}`),
  ...[`${now + DAY}.5`, `${now - DAY}.5`, `${now + DAY}e0`, `${(now + DAY) * 10}e-1`, `${now - DAY}E+0`],
  ...["1e300", "-1e300", "1e308", "1e309", "-1e309", "0", "-0", "-1", "9007199254740993", "18446744073709551616"],
  ...[`"${now + DAY}"`, `"${now - DAY}"`, `[${now + DAY}]`, `+${now}`, `0${now + DAY}`, "NaN", "Infinity", "1_000", "0x7fffffff"],
  ...OTHER_TYPES,
];

const issuers = ({ issuer }) => [
  ...text(issuer, `${issuer}/`, issuer.toUpperCase(), ` ${issuer}`, `${issuer}\0`, `${issuer}#`, "https://other.example"),
  ...text([issuer], [issuer, "x"], { iss: issuer }),
  ...OTHER_TYPES,
];

const audiences = ({ audience }) => [
  ...text(audience, `${audience}/`, `${audience}//`, `${audience}/a`, audience.toUpperCase(), `${audience} `, `${audience}\0`),
  ...text("https://other.example", `${audience} https://other.example`, { aud: audience }),
  ...text([audience], ["x", audience], [audience, 1], [[audience]], ["x"], [], [null, audience], [`${audience}/`], [audience.slice(0, -1)]),
  ...OTHER_TYPES,
];

const algorithms = [
  ...["alg", "none", "None", "NONE", "nOnE", "HS256", "HS512", "es256", "ES256 ", "ES256K", "RS1", "dir", "ECDH-ES", "A128GCM", "Ed448", "ML-DSA-44"],
  ...["Ed25519", ...ALGORITHMS],
];

const types = [
  ...["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", "dpop+jwt", "id+jwt", "logout+jwt", "JOSE"],
  ...["text/at+jwt", "at+jwt; a=b", " JWT", "application/", "at+JWT\0"],
];

/** What stands where header or claims should. */
const otherJson = (bytes, r) => Buffer.from(r.of(["", "[]", "null", "1", '"x"', `[${bytes}]`, `${bytes}${bytes}`]));

const otherParts = ([header = "", claims = ""], r) => r.of([
  ...[[header], [claims], ["", claims], [header, ""]],
  ...[[header, claims, ""], [header, "", claims], [header, claims, claims], [header, claims, "", ""], ["", header, claims]],
]);

const otherToken = (token, r) => r.of([
  ...[`${token}.`, `.${token}`, `${token}=`, `${token}==`, `${token}A`, `${token}%3D`, `${token}.${token}`],
  ...[token.slice(0, -1), token.slice(1), token.replace(/\.[^.]*$/, ""), token.replace(/[^.]*$/, ""), token.toUpperCase()],
]);

/** Each way has a name and alters a draft. */
const WAYS = [
  ["nothing", () => {}],
  member("header", "alg", [...text(...algorithms), ...OTHER_TYPES]),
  member("header", "kid", [...text("unknown", "", "ES256\0", "es256", ...ALGORITHMS), ...OTHER_TYPES]),
  member("header", "typ", [...text(...types), ...OTHER_TYPES]),
  member("header", "crit", ['["b64"]', '["exp"]', '["x"]', '["alg"]', '["b64","b64"]', ...OTHER_TYPES]),
  member("header", "b64", ["false", "true", '"false"', ...OTHER_TYPES]),
  ["header b64 and crit", (draft, r) => (set(draft.header, "b64", r.of(["true", "false"])), set(draft.header, "crit", '["b64"]'))],
  member("header", "zip", ['"DEF"', ...OTHER_TYPES]),
  member("header", "enc", ['"A128GCM"', ...OTHER_TYPES]),
  member("header", "cty", ['"JWT"', '"at+jwt"', ...OTHER_TYPES]),
  member("header", "jku", text("https://evil.example/jwks", "")),
  member("header", "jwk", [JSON.stringify(signingKey("p256", "stranger").jwk()), "{}", "null"]),
  member("header", "x5c", ['["MIIB"]', "[]"]),
  member("header", "Alg", text("none")),
  member("claims", "exp", moments),
  member("claims", "nbf", moments),
  member("claims", "iat", moments),
  member("claims", "iss", issuers),
  member("claims", "aud", audiences),
  member("claims", "sub", [...text("a", "é", "\0", " ", "x".repeat(300)), ...OTHER_TYPES]),
  member("claims", "jti", OTHER_TYPES),
  member("claims", "cnf", ['{"jkt":"x"}', '{"x5t#S256":"x"}', ...OTHER_TYPES]),
  member("claims", "scope", OTHER_TYPES),
  member("claims", "client_id", OTHER_TYPES),
  member("claims", "Exp", moments),
  ["claims are much", (draft, r) => set(draft.claims, "pad", JSON.stringify("x".repeat(r.below(20_000))))],
  ["claims nest", (draft, r) => set(draft.claims, "deep", nested(r.of([1, 20, 100, 126, 127, 128, 200, 900])))],
  ["header nests", (draft, r) => set(draft.header, "deep", nested(r.of([1, 20, 100, 126, 127, 128, 200, 900])))],
  ["claims have any number", (draft, r) => set(draft.claims, "n", r.of(moments(draft)))],
  ["header has a name twice", (draft, r) => twice(draft.header, r, text("none", "ES256", "ES384", "EdDSA", "x", 1, null))],
  ["claims have a name twice", (draft, r) => twice(draft.claims, r, [...text(draft.issuer, draft.audience, "x", draft.now + DAY, draft.now - DAY, null), "[]"])],
  ["header escapes a name", (draft, r) => escaped(draft.header, r, 0)],
  ["claims escape a name", (draft, r) => escaped(draft.claims, r, 0)],
  ["header escapes a value", (draft, r) => escaped(draft.header, r, 1)],
  ["claims escape a value", (draft, r) => escaped(draft.claims, r, 1)],
  ["claims have half a surrogate pair", (draft, r) => set(draft.claims, r.of(["sub", "x"]), r.of(['"\\ud800"', '"a\\udc00b"', '"\\ud800\\u0041"', '"\\ud83d\\ude00"']))],
  ["header in another order", (draft, r) => draft.header.reverse() && r],
  ["header as text", (draft) => draft.edits.header.push(respelled)],
  ["claims as text", (draft) => draft.edits.claims.push(respelled)],
  ["header has another byte", (draft) => draft.edits.header.push(flipped)],
  ["claims have another byte", (draft) => draft.edits.claims.push(flipped)],
  ["header is no object", (draft) => draft.edits.header.push(otherJson)],
  ["claims are no object", (draft) => draft.edits.claims.push(otherJson)],
  ["a part in another base64", (draft) => draft.edits.parts.push((parts, r) => replaced(parts, r, recoded))],
  ["another number of parts", (draft) => draft.edits.parts.push(otherParts)],
  ["signature in another base64", (draft) => draft.edits.signature.push((signature, _, r) => recoded(encoded(signature), r))],
  ["signature altered", (draft) => draft.edits.signature.push(alteredSignature)],
  ["signature of other bytes", (draft) => draft.edits.signature.push((_, input, r) => signatureOf(draft.alg, keyOf(draft.alg), otherInput(input, r)))],
  ["signature by a stranger", (draft) => draft.edits.signature.push((_, input) => signatureOf(draft.alg, signingKey(kindFor(draft.alg), "stranger"), input))],
  ["signature by another algorithm", (draft) => draft.edits.signature.push((_, input, r) => anotherAlgorithm(input, r))],
  ["signature with a public key as secret", (draft) => draft.edits.signature.push((_, input, r) => hmac(draft.alg, input, r))],
  ["token longer or shorter", (draft) => draft.edits.token.push(otherToken)],
];

export const NAMES = WAYS.map(([name]) => name);

const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);

function twice(list, r, values) {
  const [name, json] = r.of(list);
  const spelled = r.below(4) ? name : `"\\u${name.charCodeAt(1).toString(16).padStart(4, "0")}${name.slice(2)}`;
  const other = [spelled, r.of([json, ...values])];
  list.splice(r.of([0, list.length]), 0, other);
}

function escaped(list, r, which) {
  const entry = r.of(list);
  const at = list.indexOf(entry);
  const json = entry[which].replace(/^"(.)/, (_, first) => `"\\u${first.charCodeAt(0).toString(16).padStart(4, "0")}`);
  list[at] = entry.map((old, n) => (n === which ? json : old));
}

/** The same text with white space, marks and remarks that some readers pass over. */
function respelled(bytes, r) {
  const all = bytes.toString("latin1");
  const text = r.of([
    ...[all.replaceAll(",", " ,\n\t"), ` \r\n${all}\t`, `\u00ef\u00bb\u00bf${all}`, `${all}\0`, `\0${all}`, `${all} x`, `${all},`, `/* */${all}`, `${all}//`],
    ...[all.replace("}", ",}"), all.replace("{", "{,"), all.replace("{", "{\u000b"), all.replace("{", "{\u00a0"), all.replace('{"', '{"\u0001":1,"')],
    ...[all.replaceAll('"', "'"), all.replace(":", "="), all.slice(0, -1), Buffer.from(all, "utf16le").toString("latin1")],
  ]);
  return Buffer.from(text, "latin1");
}

function flipped(bytes, r) {
  if (!bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  copy[r.below(copy.length)] = r.of([r.below(256), r.of([...'"\\{}[],:09eE-+.tfn '].map((c) => c.charCodeAt(0)))]);
  return copy;
}

const replaced = (parts, r, edit) => {
  const at = r.below(parts.length);
  return parts.map((part, n) => (n === at ? edit(part, r) : part));
};

/**
 * The same bytes in an encoding that base64url without padding is not, or nearly the same bytes.
 */
function recoded(part, r) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const leftOver = part.slice(0, -1) + alphabet[(alphabet.indexOf(part.at(-1)) + 1) % 64];
  return r.of([
    ...[part + "=".repeat((4 - (part.length % 4)) % 4), `${part}=`, `${part}==`, leftOver, leftOver, `${part}A`, part.slice(0, -1)],
    ...[`${part.slice(0, 5)} ${part.slice(5)}`, `${part.slice(0, 5)}~${part.slice(5)}`, `${part.slice(0, 4)}=${part.slice(4)}`],
    ...[part.replaceAll("-", "+").replaceAll("_", "/"), Buffer.from(part, "base64url").toString("hex")],
  ]);
}

function alteredSignature(signature, _, r) {
  if (typeof signature === "string") return signature;
  const flip = (bit) => {
    const copy = Buffer.from(signature);
    if (copy.length) copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
  };
  const half = signature.length >> 1;
  return r.of([
    ...[flip(r.below(signature.length * 8 || 1)), flip(r.below(8)), r.bytes(signature.length), Buffer.alloc(signature.length), Buffer.alloc(signature.length, 0xff)],
    ...[signature.subarray(0, -1), signature.subarray(1), Buffer.alloc(0), Buffer.concat([signature, r.bytes(1)]), Buffer.concat([Buffer.from([0]), signature])],
    ...[Buffer.concat([signature, signature]), Buffer.concat([signature.subarray(half), signature.subarray(0, half)]), derOf(signature)],
  ]);
}

/** ECDSA's two numbers as DER has them, which JWS does not use. */
function derOf(signature) {
  const half = signature.length >> 1;
  const number = (bytes) => {
    const positive = Buffer.concat([Buffer.from([0]), bytes]);
    return Buffer.concat([Buffer.from([2, positive.length]), positive]);
  };
  const both = Buffer.concat([number(signature.subarray(0, half)), number(signature.subarray(half))]);
  return Buffer.concat([Buffer.from(both.length < 128 ? [0x30, both.length] : [0x30, 0x81, both.length]), both]);
}

function anotherAlgorithm(input, r) {
  const alg = r.of(USUAL);
  return signatureOf(alg, keyOf(alg), input);
}

/** CVE-2015-9235: what everybody knows, taken for a secret. */
function hmac(alg, input, r) {
  const secret = r.of([keyOf(alg).publicKey.export({ type: "spki", format: "pem" }), JSON.stringify(JWKS.keys[0]), ""]);
  return createHmac("sha256", secret).update(input).digest();
}

const otherInput = (input, r) => r.of([`${input}x`, input.slice(1), input.split(".")[0], ""]);
