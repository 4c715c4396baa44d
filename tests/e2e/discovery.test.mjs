// Contract section 1, `jwks_uri` left out: the keys are found through the issuer's own metadata,
// RFC 8414 first, then OpenID Connect, and only if the document names that issuer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reply } from "./support/issuer.mjs";
import { assertUnavailable, CANONICAL, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { testClock } from "./support/worker.mjs";

const discovered = (path = "") => (issuer) => [{ authorization_server_url: issuer.url + path }];
const RFC8414 = "/.well-known/oauth-authorization-server";
const OIDC = "/.well-known/openid-configuration";

async function assertOk(s, token = s.token()) {
  const { response, line } = await s.ask(token);
  assert.equal(response.status, 200, `${response.text} ${line.reason}`);
  return line;
}

async function assertNoKeys(s, token = s.token()) {
  const { response, line } = await s.ask(token);
  assertUnavailable(response);
  assert.equal(line.reason, "keys_unavailable");
}

test("RFC 8414 metadata leads to the keys, once", async (t) => {
  const s = await stage(t, { entries: discovered() });
  s.issuer.on(RFC8414, reply.json(s.issuer.metadata()));
  assert.equal((await assertOk(s)).keys, "issuer");
  assert.equal((await assertOk(s)).keys, "memory");
  assert.deepEqual(s.issuer.log.map((entry) => entry.path), [RFC8414, "/jwks"]);
});

test("an issuer with a path: the well-known part goes between host and path", async (t) => {
  const s = await stage(t, { entries: discovered("/tenant/1") });
  s.issuer.on(`${RFC8414}/tenant/1`, reply.json(s.issuer.metadata({ issuer: `${s.issuer.url}/tenant/1` })));
  await assertOk(s, s.token({ iss: `${s.issuer.url}/tenant/1` }));
});

test("OpenID Connect metadata serves where there is no RFC 8414 document: its part goes after the path", async (t) => {
  for (const path of ["", "/tenant/1"]) {
    const s = await stage(t, { entries: discovered(path) });
    s.issuer.on(path + OIDC, reply.json(s.issuer.metadata({ issuer: s.issuer.url + path })));
    await assertOk(s, s.token({ iss: s.issuer.url + path }));
    assert.equal(s.issuer.log[0].path, RFC8414 + path, "RFC 8414 was asked first");
  }
});

test("an issuer that ends with a slash is compared as it is written", async (t) => {
  const s = await stage(t, { entries: discovered("/") });
  const metadata = reply.json(s.issuer.metadata({ issuer: `${s.issuer.url}/` }));
  for (const path of [RFC8414, `${RFC8414}/`, OIDC]) s.issuer.on(path, metadata);
  await assertOk(s, s.token({ iss: `${s.issuer.url}/` }));
});

test("the issuer of the entry is asked, not the authorization_server_url", async (t) => {
  const s = await stage(t, { entries: (issuer) => [{ authorization_server_url: "https://login.example.com", issuer: `${issuer.url}/realm` }] });
  s.issuer.on(`${RFC8414}/realm`, reply.json(s.issuer.metadata({ issuer: `${s.issuer.url}/realm` })));
  await assertOk(s, s.token({ iss: `${s.issuer.url}/realm` }));
});

// name, members of the document that make it unusable
const UNUSABLE = [
  ["another issuer", { issuer: "https://other.example.com" }],
  ["the issuer with a slash more", (issuer) => ({ issuer: `${issuer.url}/` })],
  ["the issuer in upper case", (issuer) => ({ issuer: issuer.url.toUpperCase() })],
  ["no issuer", { issuer: undefined }],
  ["an issuer that is null", { issuer: null }],
  ["an issuer in an array", (issuer) => ({ issuer: [issuer.url] })],
  ["no jwks_uri", { jwks_uri: undefined }],
  ["a jwks_uri that is null", { jwks_uri: null }],
  ["a jwks_uri that is no URL", { jwks_uri: "/jwks" }],
  ["a jwks_uri of another scheme", { jwks_uri: "data:application/json,{}" }],
];

for (const [name, members] of UNUSABLE) {
  test(`a document that cannot be used leaves the entry without keys: ${name}`, async (t) => {
    const s = await stage(t, { entries: discovered() });
    const document = reply.json(s.issuer.metadata(typeof members === "function" ? members(s.issuer) : members));
    s.issuer.on(RFC8414, document);
    s.issuer.on(OIDC, document);
    await assertNoKeys(s);
    assert.equal(s.issuer.hits("/jwks"), 0, "no key is taken on its word");
    // The operator is told which issuer it was.
    await until("a line about it", () => s.worker.logs.some((line) => line.event !== "request" && line.event !== "start" && JSON.stringify(line).includes(s.issuer.url)));
  });
}

const NO_DOCUMENT = [
  ["no document at all", undefined],
  ["500", reply.status(500)],
  ["HTML", reply.html()],
  ["an array", reply.text("[]")],
  ["a redirect to a good document", reply.redirect("/moved")],
  ["a body without an end", reply.endless()],
  ["a reset", reply.reset()],
];

for (const [name, answer] of NO_DOCUMENT) {
  test(`metadata that cannot be had: ${name}`, async (t) => {
    const s = await stage(t, { entries: discovered() });
    for (const path of answer ? [RFC8414, OIDC] : []) s.issuer.on(path, answer);
    s.issuer.on("/moved", reply.json(s.issuer.metadata()));
    await assertNoKeys(s);
    assert.equal(s.issuer.hits("/moved"), 0);
    assert.equal(s.issuer.hits("/jwks"), 0);
  });
}

test("keys behind good metadata that cannot be had", async (t) => {
  const s = await stage(t, { entries: discovered() });
  s.issuer.on(RFC8414, reply.json(s.issuer.metadata()));
  s.issuer.on("/jwks", reply.status(500));
  await assertNoKeys(s);
});

test("an issuer that comes back is found again after 15 s", async (t) => {
  const clock = testClock();
  const s = await stage(t, { entries: discovered(), clock });
  await assertNoKeys(s);
  const asked = s.issuer.log.length;
  await assertNoKeys(s);
  assert.equal(s.issuer.log.length, asked, "not asked again so soon");
  s.issuer.on(RFC8414, reply.json(s.issuer.metadata()));
  clock.forward(16);
  await assertOk(s);
});

test("one entry that cannot be discovered leaves the others alone", async (t) => {
  const s = await stage(t, {
    entries: (issuer) => [{ authorization_server_url: `${issuer.url}/lost` }, { authorization_server_url: issuer.url, jwks_uri: `${issuer.url}/jwks` }],
  });
  await assertNoKeys(s, s.token({ iss: `${s.issuer.url}/lost` }));
  await assertOk(s);
  assert.equal((await s.worker.send({ path: "/healthz" })).status, 200);
});

test("a regional pair that is discovered is discovered once", async (t) => {
  const s = await stage(t, {
    entries: (issuer) => ["eu", "us"].map((region) => ({ authorization_server_url: `${issuer.url}/${region}`, issuer: issuer.url, expected_audiences: [CANONICAL] })),
  });
  s.issuer.on(RFC8414, reply.json(s.issuer.metadata()));
  for (let i = 0; i < 3; i++) await assertOk(s);
  assert.deepEqual(s.issuer.log.map((entry) => entry.path), [RFC8414, "/jwks"]);
});
