// What an introspection endpoint may answer, and what it must not: one answer a row, and the reason
// that the log gives. What is wrong with an answer is an outage, and what it says of a token is the
// token's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./support/http.mjs";
import { active, assertSilent, introspecting, opaque, told } from "./support/introspection.mjs";
import { reply } from "./support/issuer.mjs";
import { seconds } from "./support/mint.mjs";
import { assertInvalid, assertUnavailable, CANONICAL, EXPIRED, INVALID, NOT_FOR_US, UNTRUSTED } from "./support/stage.mjs";
import { until } from "./support/until.mjs";

const HOUR = 3600;
const raw = (body, type = "application/json") => (_, res) => res.writeHead(200, { "content-type": type }).end(body);
/** A good answer, cut open at its end. */
const openEnded = (more) => raw(`${JSON.stringify(active()).slice(0, -1)},${more}}`);

// name, what is said of the token, reason, error_description; none: accepted
const SAID = [
  ["the least that there can be", { active: true, sub: "a", aud: CANONICAL }, "ok"],
  ["BEARER", active({ token_type: "BEARER" }), "ok"],
  ["aud in an array", active({ aud: ["x", CANONICAL] }), "ok"],
  ["aud with a slash more", active({ aud: `${CANONICAL}/` }), "ok"],
  ["the entry's iss", (s) => active({ iss: s.issuer.url }), "ok"],
  ["token_use of Ory's", active({ token_use: "access_token" }), "ok"],
  ["exp within the leeway", active({ exp: seconds() - 30 }), "ok"],
  ["another type than JSON's", raw(JSON.stringify(active()), "text/plain"), "ok"],
  ["not active", { active: false }, "token_inactive", INVALID],
  ["not active, for all else that is said", active({ active: false }), "token_inactive", INVALID],
  ["token_type DPoP", active({ token_type: "DPoP" }), "token_type_not_allowed", INVALID],
  ["token_type MAC", active({ token_type: "mac" }), "token_type_not_allowed", INVALID],
  ["an empty token_type", active({ token_type: "" }), "token_type_not_allowed", INVALID],
  ["token_type null", active({ token_type: null }), "token_type_not_allowed", INVALID],
  ["token_type in an array", active({ token_type: ["Bearer"] }), "token_type_not_allowed", INVALID],
  ["a refresh token", active({ token_use: "refresh_token" }), "token_type_not_allowed", INVALID],
  ["an ID token", active({ token_use: "id" }), "token_type_not_allowed", INVALID],
  ["token_use that is a number", active({ token_use: 1 }), "token_type_not_allowed", INVALID],
  ["exp an hour ago", active({ exp: seconds() - HOUR }), "token_expired", EXPIRED],
  ["exp at zero", active({ exp: 0 }), "token_expired", EXPIRED],
  ["exp that is text", active({ exp: String(seconds() + HOUR) }), "exp_not_number", INVALID],
  ["exp that is null", active({ exp: null }), "exp_not_number", INVALID],
  ["nbf in an hour", active({ nbf: seconds() + HOUR }), "token_not_yet_valid", INVALID],
  ["nbf that is text", active({ nbf: "0" }), "nbf_not_number", INVALID],
  ["iat in an hour", active({ iat: seconds() + HOUR }), "iat_in_future", INVALID],
  ["iat that is true", active({ iat: true }), "iat_not_number", INVALID],
  ["another iss", active({ iss: "https://other.example.com" }), "iss_mismatch", UNTRUSTED],
  ["iss with a slash more", (s) => active({ iss: `${s.issuer.url}/` }), "iss_mismatch", UNTRUSTED],
  ["iss null", active({ iss: null }), "iss_mismatch", UNTRUSTED],
  ["no aud", active({ aud: undefined }), "aud_missing", NOT_FOR_US],
  ["another aud", active({ aud: "https://other.example.com/mcp" }), "aud_mismatch", NOT_FOR_US],
  ["no aud in an array", active({ aud: [] }), "aud_mismatch", NOT_FOR_US],
  ["a number in aud", active({ aud: [CANONICAL, 1] }), "aud_malformed", NOT_FOR_US],
  ["aud null", active({ aud: null }), "aud_malformed", NOT_FOR_US],
  ["no sub", active({ sub: undefined }), "sub_missing", INVALID],
  ["an empty sub", active({ sub: "" }), "sub_missing", INVALID],
  ["sub that is a number", active({ sub: 7 }), "sub_not_string", INVALID],
  ["sub null", active({ sub: null }), "sub_not_string", INVALID],
  ["cnf", active({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }), "token_bound", INVALID],
  ["cnf null", active({ cnf: null }), "token_bound", INVALID],
];

test("what a server says of a token is judged as a JWT's claims are", async (t) => {
  const s = await introspecting(t);
  for (const [name, said, reason, description] of SAID) {
    s.tells(typeof said === "function" && said.length === 1 ? said(s) : said);
    const forwarded = s.origin.seen.length;
    const { response, line } = await s.ask(opaque());
    assert.equal(line.reason, reason, name);
    if (description) assertInvalid(response, description);
    else assert.equal(response.status, 200, name);
    assert.equal(s.origin.seen.length - forwarded, description ? 0 : 1, name);
  }
  assert.deepEqual(told(s), [], "each was an answer");
});

const NAMES = "no JSON object, or one in which a name occurs twice";
const ACTIVE = "active is neither true nor false";

// name, the answer, and the detail that the log gives
const NO_ANSWER = [
  ["active twice", openEnded('"active":true'), NAMES],
  ["active false and true", raw('{"active":false,"active":true,"sub":"a"}'), NAMES],
  ["one name in two spellings", openEnded('"\\u0073ub":"admin"'), NAMES],
  ["a member of a member twice", openEnded('"x":{"a":1,"a":2}'), NAMES],
  ["an array", raw("[true]"), NAMES],
  ["text", raw('"active"'), NAMES],
  ["nothing", raw(""), NAMES],
  ["HTML", reply.html(), NAMES],
  ["cut short", raw(JSON.stringify(active()).slice(0, -1)), NAMES],
  ["more behind it", raw(`${JSON.stringify(active())}{}`), NAMES],
  ["what is no UTF-8", raw(Buffer.concat([Buffer.from('{"active":true,"sub":"'), Buffer.from([0xff]), Buffer.from('"}')])), NAMES],
  ["a byte order mark", raw(`\ufeff${JSON.stringify(active())}`), NAMES],
  ["active as text", active({ active: "true" }), ACTIVE],
  ["active as a number", active({ active: 1 }), ACTIVE],
  ["active null", active({ active: null }), ACTIVE],
  ["active in an array", active({ active: [true] }), ACTIVE],
  ["no active", active({ active: undefined }), ACTIVE],
  ["Active", active({ active: undefined, Active: true }), ACTIVE],
  ["the claims of a JWT", { iss: "x", sub: "user-1", aud: CANONICAL, exp: seconds() + HOUR }, ACTIVE],
  ["64 KiB and a byte", raw(JSON.stringify(active()).padEnd(64 * 1024 + 1)), "larger than 64 KiB"],
  ["an endless body", (_, res, req) => reply.endless()(req, res), "larger than 64 KiB"],
  ["201", (_, res) => res.writeHead(201).end(JSON.stringify(active())), "status 201"],
  ["204", (_, res) => res.writeHead(204).end(), "status 204"],
  ["a redirect", (_, res) => res.writeHead(307, { location: "/elsewhere" }).end(), "status 307, a redirect, which is not followed"],
  ["a redirect that has an answer", (_, res) => res.writeHead(302, { location: "/elsewhere" }).end(JSON.stringify(active())), "status 302, a redirect, which is not followed"],
  ["400", (_, res) => res.writeHead(400).end('{"error":"invalid_request"}'), "status 400"],
  ["401", (_, res) => res.writeHead(401).end(JSON.stringify(active())), "status 401: it does not accept the credentials of the entry"],
  ["403", (_, res) => res.writeHead(403).end(), "status 403"],
  ["404", (_, res) => res.writeHead(404).end(), "status 404"],
  ["429", (_, res) => res.writeHead(429, { "retry-after": "60" }).end(), "status 429"],
  ["500", (_, res) => res.writeHead(500).end(JSON.stringify({ active: false })), "status 500"],
  ["a reset", (_, res, req) => reply.reset()(req, res), "unreachable, or no answer within 5 s"],
  ["a reset in the body", (_, res) => { res.writeHead(200, { "content-length": "100" }).write('{"active":true', () => res.destroy()); }, "unreachable, or no answer within 5 s"],
];

test("what is no answer is an outage, and nobody gets in", async (t) => {
  const s = await introspecting(t);
  s.issuer.on("/elsewhere", reply.json(active()));
  for (const [name, answer, detail] of NO_ANSWER) {
    s.tells(answer);
    const before = told(s).length;
    const { response, line } = await s.ask(opaque());
    assertUnavailable(response);
    assert.equal(response.get("retry-after"), "5", name);
    assert.equal(line.reason, "introspection_unavailable", name);
    assert.deepEqual(told(s).slice(before), [{ source: s.issuer.url, result: "failed", detail }], name);
  }
  assert.equal(s.issuer.hits("/elsewhere"), 0);
  assert.deepEqual(s.origin.seen, []);
  assertSilent(s);
  s.tells(active());
  assert.equal((await s.call(opaque())).status, 200, "it was an outage, and it is over");
});

test("64 KiB are read", async (t) => {
  const s = await introspecting(t);
  s.tells(raw(JSON.stringify(active()).padEnd(64 * 1024)));
  assert.equal((await s.call(opaque())).status, 200);
});

for (const [name, answer] of [
  ["never answers", () => {}],
  ["stops in its head's body", (_, res) => res.writeHead(200, { "content-type": "application/json" }).write('{"active":true,')],
]) {
  test(`a server that ${name} is given 5 s`, async (t) => {
    const s = await introspecting(t);
    s.tells(answer);
    const { response, line } = await s.ask(opaque());
    assertUnavailable(response);
    assert.ok(line.ms >= 4900 && line.ms < 7000, `${line.ms} ms`);
    assert.match(told(s)[0].detail, /no answer within 5 s/);
  });
}

test("a server that is gone is an outage", async (t) => {
  const s = await introspecting(t);
  assert.equal((await s.call(opaque())).status, 200);
  await s.issuer.close();
  const { response, line } = await s.ask(opaque());
  assertUnavailable(response);
  assert.equal(line.reason, "introspection_unavailable");
  await s.issuer.reopen();
  assert.equal((await s.call(opaque())).status, 200);
});

// Local workerd lets its request go on, to the origin, too. Cloudflare may end it.
test("what a client that has left asked is answered to its own request, and to no other", async (t) => {
  const s = await introspecting(t);
  const held = reply.held((_, res) => res.end(JSON.stringify(active())));
  s.tells((_, res, req) => held(req, res));
  const leaving = open(s.worker.port, { method: "POST", path: "/mcp", headers: { authorization: `Bearer ${opaque()}`, "x-left": "yes" } });
  leaving.request.on("error", () => {}).end();
  await until("the question", () => s.asked.length === 1);
  leaving.request.destroy();
  held.release();
  s.tells(active({ sub: "next" }));
  assert.equal((await s.call(opaque())).status, 200);
  await until("both", () => s.origin.seen.length === 2);
  const got = (left) => s.origin.seen.filter((seen) => (seen.header("x-left") === "yes") === left).map((seen) => seen.header("x-mcp-auth-user-id"));
  assert.deepEqual([got(true), got(false)], [["user-1"], ["next"]]);
});

test("two tokens at a time get each their own answer", async (t) => {
  const s = await introspecting(t);
  const waiting = new Map();
  s.tells(({ form }, res) => {
    waiting.set(form.token, res);
    if (waiting.size === 2) for (const [token, res] of [...waiting].reverse()) res.end(JSON.stringify(active({ sub: `of-${token.slice(0, 5)}` })));
  });
  const [a, b] = [opaque("aaaa-"), opaque("bbbb-")];
  const { responses } = await s.together([a, b]);
  assert.deepEqual(responses.map(({ status }) => status), [200, 200]);
  assert.deepEqual(s.origin.seen.map((seen) => seen.header("x-mcp-auth-user-id")).sort(), ["of-aaaa-", "of-bbbb-"]);
});
