// What every side of one work is given: settings, key sets and tokens.
import { randomBytes } from "node:crypto";

import { kindFor, signingKey } from "../../tests/e2e/support/keys.mjs";
import { mint, seconds, tampered } from "../../tests/e2e/support/mint.mjs";

export const CANONICAL = "https://mcp.example.com/mcp";
export const PATH = "/mcp";
export const DOCUMENT = "/.well-known/oauth-protected-resource/mcp";
export const CLIENT = "3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30";
export const BASE = "/upstream";
const HOUR = 3600;

/**
 * outside: where issuers and origin are, `https://as.example.com` for those inside workerd.
 * issuers, keys: how many of them; tokens come from the last issuer, signed by the last key of its
 * set. rules, of: how many, and of which KIND_OF_RULE; without `rules` there is no policy.
 * filterLists: whether the policy filters lists.
 */
export function stage({ algorithm = "RS256", issuers = 1, keys = 1, rules, of, filterLists = false, outside = "https://as.example.com" } = {}) {
  const key = signingKey(kindFor(algorithm));
  const set = { keys: [...Array.from({ length: keys - 1 }, (_, i) => decoy(i)), key.jwk({ alg: algorithm, use: "sig" })] };
  const entries = Array.from({ length: issuers }, (_, i) => {
    const issuer = `${outside}/as-${i}`;
    return { authorization_server_url: issuer, jwks_uri: `${issuer}/jwks`, algorithm };
  });
  const issuer = entries.at(-1).authorization_server_url;
  return {
    algorithm,
    issuer,
    key,
    jwks: set,
    keySets: Object.fromEntries(entries.map((_, i) => [`/as-${i}/jwks`, set])),
    settings: {
      MCP_SERVER_AUTH_CANONICAL_URL: CANONICAL,
      MCP_SERVER_AUTH_AUTHORIZATION_SERVERS: entries,
      ORIGIN_URL: `${outside}${BASE}`,
      ...(rules !== undefined && { MCP_SERVER_AUTH_POLICY: { ...policy(rules, of), filter_lists: filterLists } }),
    },
    policy: rules !== undefined,
    token: (kind, i) => TOKENS[kind]({ algorithm, key, issuer, i }),
    sized: (bytes, i) => sized({ algorithm, key, issuer, bytes, i }),
  };
}

/** A key that no token names: as large as a real one, and never used. */
function decoy(i) {
  const modulus = randomBytes(256);
  modulus[0] |= 0x80;
  modulus[255] |= 1;
  return { kty: "RSA", n: modulus.toString("base64url"), e: "AQAB", kid: `decoy-${i}`, alg: "RS256", use: "sig" };
}

const NEEDED = "mcp:tools";

/**
 * Rules that differ in what they match; only the last one, made with no number, is for the call
 * that is timed.
 */
const KIND_OF_RULE = {
  names: (i) => ({ methods: ["tools/call"], names: [i === undefined ? "echo" : `echo-${i}`] }),
  methods: (i) => ({ methods: [i === undefined ? "tools/call" : `tools/call-${i}`] }),
  beginnings: (i) => ({ methods: ["tools/*"], names: [i === undefined ? "ech*" : `ech-${i}*`] }),
  endings: (i) => ({ methods: ["tools/*"], names: [i === undefined ? "*cho" : `*${i}-cho`] }),
};

function policy(count, of) {
  const rule = (i) => ({ ...KIND_OF_RULE[of](i), scopes: [NEEDED] });
  const others = Array.from({ length: Math.max(0, count - 1) }, (_, i) => rule(i));
  return { required_scopes: [NEEDED], ...(count && { rules: [...others, rule()] }) };
}

/** Claims such as authorization servers put into access tokens. */
const claims = ({ issuer, i }, over) => ({
  iss: issuer,
  aud: CANONICAL,
  sub: `user-${10_000 + i}`,
  client_id: CLIENT,
  scope: "mcp:tools mcp:resources offline_access",
  email: `user-${10_000 + i}@example.com`,
  iat: seconds() - 10,
  exp: seconds() + HOUR,
  jti: randomBytes(16).toString("hex"),
  ...over,
});

const signed = (from, over) => mint({ key: from.key, alg: from.algorithm, header: { typ: "at+jwt" }, claims: claims(from, over) });

/** By kind: every good one is different, and every bad one is bad in one respect. */
const TOKENS = {
  good: (from) => signed(from),
  unscoped: (from) => signed(from, { scope: "offline_access" }),
  expired: (from) => signed(from, { iat: seconds() - 2 * HOUR, exp: seconds() - HOUR }),
  audience: (from) => signed(from, { aud: "https://other.example.com/mcp" }),
  issuer: (from) => signed(from, { iss: "https://elsewhere.example.com" }),
  signature: (from) => tampered(signed(from)),
  garbage: () => randomBytes(300).toString("base64url"),
};

/**
 * A good token of at most so many bytes (as far as its signature allows) and hardly fewer: few
 * claims, and groups as large organisations have them.
 */
function sized({ algorithm, key, issuer, bytes, i }) {
  const base = { iss: issuer, aud: CANONICAL, sub: `u${100 + i}`, exp: seconds() + HOUR };
  const sign = (extra) => mint({ key, alg: algorithm, claims: { ...base, ...extra } });
  const groups = [];
  let token = sign({});
  const room = () => bytes - token.length;
  while (room() > 60) {
    for (let n = Math.max(1, Math.floor(room() / 54)); n > 0; n--) groups.push(randomBytes(17).toString("hex"));
    token = sign({ groups });
    while (room() < 0) {
      groups.pop();
      token = sign({ groups });
    }
  }
  return token;
}
