// Contract section 4: one mutation of a good token a row, with the reason that the log must give
// and what the client is told; and tokens that are good, however they look. A row makes its token
// of a stage: { issuer: { url }, claims(over), token(claims, rest) }, whose only key is RSA.
import { signingKey } from "./keys.mjs";
import { b64u, seconds, tampered } from "./mint.mjs";
import { CANONICAL, EXPIRED, goodClaims, INVALID, MALFORMED, NOT_FOR_US, UNTRUSTED } from "./stage.mjs";

const HOUR = 3600;
const rsa = signingKey("rsa");
/** A key of the same kind that the issuer does not publish. */
export const other = signingKey("rsa", "b");

const header = (members) => (s) => s.token({}, { header: members });
const claims = (members) => (s) => s.token(members);
const rawHeader = (text) => (s) => s.token({}, { header: text });
const rawClaims = (write) => (s) => s.token({}, { claims: write(JSON.stringify(goodClaims(s.issuer))) });
const parts = (edit) => (s) => s.token({}, { edit });
/** Base64url with the bits that belong to no byte set: other text, same bytes. */
const sloppy = (part) => part.slice(0, -1) + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(part.at(-1)) + 1];

/** A good token of exactly `length` characters. */
function sized(s, length) {
  const bare = s.token({ pad: "" }, { header: { pad: "" } }).length;
  for (let pad = Math.floor(((length - bare) * 3) / 4) - 8; ; pad++) {
    // Base64 has no text of some lengths, so the header takes up what the claims cannot.
    for (const more of ["", "x", "xx"]) {
      const token = s.token({ pad: "x".repeat(pad) }, { header: { pad: more } });
      if (token.length === length) return token;
    }
  }
}

// name, the token, reason, error_description
export const REFUSED = [
  // parts and encoding
  ["one part", parts((h) => h), "token_parts", MALFORMED],
  ["two parts", parts((h, p) => `${h}.${p}`), "token_parts", MALFORMED],
  ["four parts", parts((h, p, x) => `${h}.${p}.${x}.${x}`), "token_parts", MALFORMED],
  ["a JWE of five parts", parts((h, p, x) => `${h}.${p}.${x}.${p}.${x}`), "token_parts", MALFORMED],
  ["a dot too many", parts((h, p, x) => `${h}.${p}.${x}.`), "token_parts", MALFORMED],
  ["padding", parts((h, p, x) => `${h}.${p}.${x}==`), "token_encoding", MALFORMED],
  ["the other base64 alphabet", parts((h, p, x) => `${h}.${p}.${`+/${x}`.slice(0, x.length)}`), "token_encoding", MALFORMED],
  ["a signature of an impossible length", parts((h, p) => `${h}.${p}.AAAAA`), "token_encoding", MALFORMED],
  ["a signature in a second spelling", parts((h, p, x) => `${h}.${p}.${sloppy(x)}`), "token_encoding", MALFORMED],
  ["a header in a second spelling", parts((h, p, x) => `${sloppy(b64u('{"alg":"RS256" }'))}.${p}.${x}`), "token_encoding", MALFORMED],
  ["a tilde", parts((h, p, x) => `${h}.${p}.~${x.slice(1)}`), "token_encoding", MALFORMED],
  ["an empty header", parts((_, p, x) => `.${p}.${x}`), "token_json", MALFORMED],
  ["empty claims", parts((h, _, x) => `${h}..${x}`), "token_json", MALFORMED],
  ["a character over 16 KiB", (s) => sized(s, 16 * 1024 + 1), "token_too_large", MALFORMED],
  ["far over 16 KiB", (s) => s.token({ pad: "x".repeat(24_000) }), "token_too_large", MALFORMED],
  // JSON
  ["a header that is not JSON", rawHeader("alg=RS256"), "token_json", MALFORMED],
  ["a header that is an array", rawHeader('["RS256"]'), "token_json", MALFORMED],
  ["a header that is null", rawHeader("null"), "token_json", MALFORMED],
  ["a header with more after it", rawHeader(`{"alg":"RS256","kid":"${rsa.kid}"}{}`), "token_json", MALFORMED],
  ["a header that is not UTF-8", rawHeader(Buffer.from('7b22616c67223a225253323536222c226b6964223a22ff227d', "hex")), "token_json", MALFORMED],
  ["a header with a byte order mark", rawHeader(`\ufeff{"alg":"RS256","kid":"${rsa.kid}"}`), "token_json", MALFORMED],
  ["a header with alg twice", rawHeader(`{"alg":"none","alg":"RS256","kid":"${rsa.kid}"}`), "token_json", MALFORMED],
  ["a header with kid twice", rawHeader(`{"alg":"RS256","kid":"x","kid":"${rsa.kid}"}`), "token_json", MALFORMED],
  ["a header with an unknown member twice", rawHeader(`{"alg":"RS256","kid":"${rsa.kid}","x":1,"x":1}`), "token_json", MALFORMED],
  ["a header with one name in two spellings", rawHeader(`{"alg":"RS256","kid":"${rsa.kid}","\\u0061lg":"RS256"}`), "token_json", MALFORMED],
  ["a header with a member of a member twice", rawHeader(`{"alg":"RS256","kid":"${rsa.kid}","x":{"a":1,"a":1}}`), "token_json", MALFORMED],
  ["claims that are not JSON", rawClaims(() => "sub=user"), "token_json", MALFORMED],
  ["claims that are a string", rawClaims(() => '"claims"'), "token_json", MALFORMED],
  ["claims cut short", rawClaims((text) => text.slice(0, -1)), "token_json", MALFORMED],
  ["claims with a comma too many", rawClaims((text) => `${text.slice(0, -1)},}`), "token_json", MALFORMED],
  ["claims with NaN", rawClaims((text) => `${text.slice(0, -1)},"x":NaN}`), "token_json", MALFORMED],
  ["claims with sub twice", rawClaims((text) => `${text.slice(0, -1)},"sub":"admin"}`), "token_json", MALFORMED],
  ["claims with aud twice", rawClaims((text) => `{"aud":"x",${text.slice(1)}`), "token_json", MALFORMED],
  ["claims with an unknown member twice", rawClaims((text) => `${text.slice(0, -1)},"x":1,"x":2}`), "token_json", MALFORMED],
  ["claims with a member of a member twice", rawClaims((text) => `${text.slice(0, -1)},"x":[{"a":1,"a":2}]}`), "token_json", MALFORMED],
  ["claims with half a surrogate pair", claims({ sub: "\ud800" }), "token_json", MALFORMED],
  ["claims with a number that no reader can hold", rawClaims((text) => text.replace(/"exp":\d+/, '"exp":1e400')), "token_json", MALFORMED],
  ["claims with one name in two spellings", rawClaims((text) => `${text.slice(0, -1)},"s\\u0075b":"admin"}`), "token_json", MALFORMED],
  // header members
  ["alg missing", rawHeader(`{"kid":"${rsa.kid}"}`), "alg_missing", MALFORMED],
  ["alg that is null", header({ alg: null }), "header_member_type", MALFORMED],
  ["alg that is a number", header({ alg: 256 }), "header_member_type", MALFORMED],
  ["alg that is an array", header({ alg: ["RS256"] }), "header_member_type", MALFORMED],
  ["kid that is null", header({ kid: null }), "header_member_type", MALFORMED],
  ["kid that is a number", header({ kid: 1 }), "header_member_type", MALFORMED],
  ["typ that is null", header({ typ: null }), "header_member_type", MALFORMED],
  ["typ that is an array", header({ typ: ["JWT"] }), "header_member_type", MALFORMED],
  ["crit", header({ crit: ["exp"] }), "crit_present", INVALID],
  ["crit that names what we know", header({ crit: ["alg"], b64: false }), "crit_present", INVALID],
  ["crit that is null", header({ crit: null }), "header_member_type", MALFORMED],
  ["crit that is text", header({ crit: "exp" }), "header_member_type", MALFORMED],
  ["b64 false without crit", header({ b64: false }), "header_member_type", MALFORMED],
  ["b64 that is text", header({ b64: "false" }), "header_member_type", MALFORMED],
  ["b64 that is null", header({ b64: null }), "header_member_type", MALFORMED],
  ["zip", header({ zip: "DEF" }), "header_member_type", MALFORMED],
  ["enc", header({ enc: "A256GCM" }), "header_member_type", MALFORMED],
  ["an empty crit", header({ crit: [] }), "crit_present", INVALID],
  ["typ of an ID token hint", header({ typ: "logout+jwt" }), "typ_not_allowed", INVALID],
  ["typ of a DPoP proof", header({ typ: "dpop+jwt" }), "typ_not_allowed", INVALID],
  ["typ that is empty", header({ typ: "" }), "typ_not_allowed", INVALID],
  ["typ with more after it", header({ typ: "at+jwt " }), "typ_not_allowed", INVALID],
  ["typ with application twice", header({ typ: "application/application/jwt" }), "typ_not_allowed", INVALID],
  ["alg none with a signature", header({ alg: "none" }), "alg_not_allowed", INVALID],
  ["alg none without", (s) => s.token({}, { header: { alg: "none" }, edit: (h, p) => `${h}.${p}.` }), "alg_not_allowed", INVALID],
  ["alg NONE", (s) => s.token({}, { header: { alg: "NONE" }, edit: (h, p) => `${h}.${p}.` }), "alg_not_allowed", INVALID],
  ["alg in lower case", header({ alg: "rs256" }), "alg_not_allowed", INVALID],
  ["alg that is empty", header({ alg: "" }), "alg_not_allowed", INVALID],
  [
    "HS256 with the public key as its secret",
    (s) => s.token({}, { alg: "HS256", key: { kid: rsa.kid, secret: rsa.publicKey.export({ type: "spki", format: "pem" }) } }),
    "alg_not_allowed", INVALID,
  ],
  ["RS512 where RS256 is allowed", (s) => s.token({}, { alg: "RS512" }), "alg_not_allowed", INVALID],
  ["PS256 where RS256 is allowed", (s) => s.token({}, { alg: "PS256" }), "alg_not_allowed", INVALID],
  ["a kid that nobody knows", header({ kid: "unknown" }), "kid_unknown", INVALID],
  ["an empty kid", header({ kid: "" }), "kid_unknown", INVALID],
  ["a kid with a path", header({ kid: "../../jwks" }), "kid_unknown", INVALID],
  // keys that the token brings along
  ["jwk with the signer's key", (s) => s.token({}, { key: other, header: { kid: rsa.kid, jwk: other.jwk() } }), "signature_invalid", INVALID],
  ["jwk and a kid of its own", (s) => s.token({}, { key: other, header: { jwk: other.jwk() } }), "kid_unknown", INVALID],
  ["jku", (s) => s.token({}, { key: other, header: { kid: rsa.kid, jku: `${s.issuer.url}/evil` } }), "signature_invalid", INVALID],
  ["x5u and x5c", (s) => s.token({}, { key: other, header: { kid: rsa.kid, x5u: `${s.issuer.url}/evil`, x5c: ["AAAA"] } }), "signature_invalid", INVALID],
  // signature
  ["an empty signature", parts((h, p) => `${h}.${p}.`), "signature_invalid", INVALID],
  ["a signature of zeros", parts((h, p, x) => `${h}.${p}.${b64u(Buffer.alloc(256))}`), "signature_invalid", INVALID],
  ["a bit of the signature turned", (s) => tampered(s.token()), "signature_invalid", INVALID],
  ["a signature cut short", parts((h, p, x) => `${h}.${p}.${b64u(Buffer.from(x, "base64url").subarray(0, 255))}`), "signature_invalid", INVALID],
  ["another subject under the same signature", (s) => s.token({}, { edit: (h, p, x) => `${h}.${b64u(JSON.stringify(s.claims({ sub: "admin" })))}.${x}` }), "signature_invalid", INVALID],
  ["the same kid, another key", (s) => s.token({}, { key: { ...other, kid: rsa.kid } }), "signature_invalid", INVALID],
  // issuer
  ["no iss", claims({ iss: undefined }), "issuer_untrusted", UNTRUSTED],
  ["another iss", claims({ iss: "https://other.example.com" }), "issuer_untrusted", UNTRUSTED],
  ["iss with a slash more", (s) => s.token({ iss: `${s.issuer.url}/` }), "issuer_untrusted", UNTRUSTED],
  ["iss in upper case", (s) => s.token({ iss: s.issuer.url.toUpperCase() }), "issuer_untrusted", UNTRUSTED],
  ["iss that is empty", claims({ iss: "" }), "issuer_untrusted", UNTRUSTED],
  // exp, nbf, iat
  ["no exp", claims({ exp: undefined }), "exp_missing", INVALID],
  ["exp that is text", claims({ exp: String(seconds() + HOUR) }), "exp_not_number", INVALID],
  ["exp that is null", claims({ exp: null }), "exp_not_number", INVALID],
  ["exp that is true", claims({ exp: true }), "exp_not_number", INVALID],
  ["exp an hour ago", claims({ exp: seconds() - HOUR }), "token_expired", EXPIRED],
  ["exp at zero", claims({ exp: 0 }), "token_expired", EXPIRED],
  ["exp before 1970", claims({ exp: -1 }), "token_expired", EXPIRED],
  ["nbf that is text", claims({ nbf: "0" }), "nbf_not_number", INVALID],
  ["nbf that is null", claims({ nbf: null }), "nbf_not_number", INVALID],
  ["nbf in an hour", claims({ nbf: seconds() + HOUR }), "token_not_yet_valid", INVALID],
  ["iat that is text", claims({ iat: "0" }), "iat_not_number", INVALID],
  ["iat that is null", claims({ iat: null }), "iat_not_number", INVALID],
  ["iat in an hour", claims({ iat: seconds() + HOUR }), "iat_in_future", INVALID],
  // audience
  ["no aud", claims({ aud: undefined }), "aud_missing", NOT_FOR_US],
  ["aud that is null", claims({ aud: null }), "aud_malformed", NOT_FOR_US],
  ["aud that is an object", claims({ aud: { [CANONICAL]: true } }), "aud_malformed", NOT_FOR_US],
  ["aud with a number in it", claims({ aud: [CANONICAL, 1] }), "aud_malformed", NOT_FOR_US],
  ["aud that is empty", claims({ aud: "" }), "aud_mismatch", NOT_FOR_US],
  ["aud without members", claims({ aud: [] }), "aud_mismatch", NOT_FOR_US],
  ["another resource", claims({ aud: "https://other.example.com/mcp" }), "aud_mismatch", NOT_FOR_US],
  ["the server's origin alone", claims({ aud: "https://mcp.example.com" }), "aud_mismatch", NOT_FOR_US],
  ["a path below", claims({ aud: `${CANONICAL}/admin` }), "aud_mismatch", NOT_FOR_US],
  ["two slashes at its end", claims({ aud: `${CANONICAL}//` }), "aud_mismatch", NOT_FOR_US],
  ["aud in upper case", claims({ aud: CANONICAL.toUpperCase() }), "aud_mismatch", NOT_FOR_US],
  ["aud as text with two names", claims({ aud: `${CANONICAL} https://other.example.com` }), "aud_mismatch", NOT_FOR_US],
  // subject
  ["no sub", claims({ sub: undefined }), "sub_missing", INVALID],
  ["sub that is a number", claims({ sub: 1 }), "sub_not_string", INVALID],
  ["sub that is null", claims({ sub: null }), "sub_not_string", INVALID],
  ["sub that is an array", claims({ sub: ["user-1"] }), "sub_not_string", INVALID],
  ["a token bound to a key that we cannot check", claims({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }), "token_bound", INVALID],
];

// name, the token
export const ACCEPTED = [
  ["no typ", header({ typ: undefined })],
  ...["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt", "application/jwt"].map((typ) => [`typ ${typ}`, header({ typ })]),
  ["no kid, where one key fits", header({ kid: undefined })],
  ["header members that mean nothing here", header({ cty: "x", "x5t#S256": "x", jwk: { kty: "oct", k: "AA" }, jku: 7, x5c: [], nested: { a: [1] } })],
  ["b64 that changes nothing", header({ b64: true })],
  ["aud in an array", claims({ aud: ["https://other.example.com", CANONICAL] })],
  ["aud with a slash more", claims({ aud: `${CANONICAL}/` })],
  ["exp half a minute ago, within the leeway", claims({ exp: seconds() - 30 })],
  ["exp with a fraction", claims({ exp: seconds() + 600.25 })],
  ["exp in another notation", rawClaims((text) => text.replace(/"exp":\d+/, '"exp":4.1e9'))],
  ["nbf half a minute ahead, within the leeway", claims({ nbf: seconds() + 30 })],
  ["iat half a minute ahead, within the leeway", claims({ iat: seconds() + 30 })],
  ["no iat and no nbf", claims({ iat: undefined, nbf: undefined })],
  ["claims that mean nothing here", claims({ nonce: "n", nested: { sub: "x", aud: ["y"] }, roles: [] })],
  ["white space in the JSON", rawClaims((text) => ` \n${text.replace("{", "{\t")} `)],
  ["exactly 16 KiB", (s) => sized(s, 16 * 1024)],
  ["a subject of any script", claims({ sub: "Zoë 名前 🙂" })],
];
