// The differences that are meant. A row holds for mutants that were altered in one of its `ways`,
// and says why the verdict is right.

const ANOTHER_BYTE = ["header has another byte", "claims have another byte"];
const TIMES = ["claims exp", "claims nbf", "claims iat", "claims Exp", "claims have any number"];
const BASE64 = ["a part in another base64", "signature in another base64", "token longer or shorter"];

/** What the Worker refuses, for this reason, and others take. */
export const STRICTER = [
  {
    reason: "token_json",
    // A name that was escaped is there twice once it is set again.
    ways: ["header has a name twice", "claims have a name twice", "header escapes a name", "claims escape a name", ...ANOTHER_BYTE],
    why: "a member name occurs once (RFC 7515 section 4, RFC 7519 section 4), or readers pick different ones of a pair",
  },
  { reason: "token_json", ways: ["header nests", "claims nest"], why: "127 levels are enough for every token, and a bound for the stack" },
  { reason: "token_json", ways: ["claims have half a surrogate pair"], why: "half a surrogate pair is no text; readers put different characters in its place" },
  { reason: "token_json", ways: TIMES, why: "NaN, Infinity and what no double can hold are no numbers (RFC 8259 section 6)" },
  { reason: "token_json", ways: ["header as text", "claims as text"], why: "JSON is UTF-8 without a byte order mark (RFC 8259 section 8.1), and nothing else" },
  { reason: "token_encoding", ways: BASE64, why: "base64url has no padding, no other characters and no bits left over (RFC 7515 section 2)" },
  { reason: "credentials_malformed", ways: BASE64, why: "a Bearer credential is one token68 (RFC 6750 section 2.1)" },
  { reason: "token_too_large", ways: ["claims are much"], why: "16 KiB are enough for every token" },
  { reason: "header_member_type", ways: ["header b64", "header zip", "header enc"], why: "a reader that heeds b64, zip or enc reads another payload" },
  { reason: "header_member_type", ways: ["header typ", "header kid", "header crit", "header has a name twice"], why: "typ and kid are strings, crit an array (RFC 7515 section 4.1)" },
  { reason: "typ_not_allowed", ways: ["header typ", "header escapes a value", ...ANOTHER_BYTE], why: "another kind of JWT is no access token (RFC 8725 section 3.11, RFC 9068 section 4)" },
  { reason: "crit_present", ways: ["header crit", "header b64 and crit"], why: "no extension is understood here (RFC 7515 section 4.1.11)" },
  { reason: "sub_not_string", ways: ["claims sub"], why: "sub is a string (RFC 7519 section 4.1.2); jose does not look" },
  { reason: "sub_missing", ways: ["claims sub"], why: "an empty sub is nobody" },
  { reason: "token_bound", ways: ["claims cnf"], why: "a token that is bound to a key proves nothing as a bare Bearer token (RFC 9449 section 7.2)" },
  { reason: "iat_in_future", ways: ["claims iat", "claims have another byte"], why: "a token from the future is a clock gone wrong; jose looks only where an age is asked for" },
  { reason: "aud_malformed", ways: ["claims aud"], why: "aud is a string or an array of strings (RFC 7519 section 4.1.3)" },
  { reason: "nbf_not_number", ways: ["claims nbf"], why: "a time is a number (RFC 7519 section 2); Python reads texts and true as numbers, too" },
  { reason: "iat_not_number", ways: ["claims iat"], why: "a time is a number (RFC 7519 section 2); Python reads texts and true as numbers, too" },
  { reason: "exp_not_number", ways: ["claims exp"], why: "a time is a number (RFC 7519 section 2); Python reads texts and true as numbers, too" },
];

/** What the Worker takes with all others but this one. */
export const MILDER = [
  { refusedBy: "PyJWT", ways: ["claims jti"], why: "jti is not read here, so its type does not matter" },
  { refusedBy: "PyJWT", ways: ["header alg"], why: "Ed25519 is EdDSA's newer name (RFC 9864), which PyJWT does not know" },
  { refusedBy: "PyJWT", ways: ["header kid", "header has another byte", "header escapes a name"], why: "without a kid, the only key that fits is meant; PyJWT's client wants one" },
];
