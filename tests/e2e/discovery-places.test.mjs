// Where an issuer's metadata is looked for: all places, in MCP's order, whatever the first ones
// answer. For keys, and for the copy of the metadata alike.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "./support/http.mjs";
import { reply } from "./support/issuer.mjs";
import { details } from "./support/key-steps.mjs";
import { signingKey } from "./support/keys.mjs";
import { mint } from "./support/mint.mjs";
import { assertUnavailable, goodClaims, stage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { kvStore } from "./support/worker.mjs";

const RFC8414 = "/.well-known/oauth-authorization-server";
const OIDC = "/.well-known/openid-configuration";
const ACCEPT = "application/json, application/jwk-set+json";
const placesOf = (path) => (path ? [RFC8414 + path, OIDC + path, path + OIDC] : [RFC8414, OIDC]);
const rsa = signingKey("rsa");
const evil = { ...signingKey("rsa", "evil"), kid: rsa.kid };

/** A Worker whose one entry is the issuer at this path, its keys to be discovered. */
async function staged(t, path = "", over = {}) {
  const s = await stage(t, {
    ...over,
    vars: { MCP_SERVER_AUTH_COMPATIBILITY: "authorization-server-metadata" },
    entries: (issuer) => [{ authorization_server_url: issuer.url + path }],
  });
  s.name = s.issuer.url + path;
  s.document = (members = {}) => s.issuer.metadata({ issuer: s.name, ...members });
  s.good = () => s.token({ iss: s.name });
  s.asked = () => s.issuer.log.splice(0).map((entry) => entry.path);
  s.copy = () => send(s.worker.port, { path: RFC8414 });
  return s;
}

async function assertOk(s) {
  const { response, line } = await s.ask(s.good());
  assert.equal(response.status, 200, `${line.reason} ${details(s, "fetch_failed")}`);
}

async function assertNoKeys(s) {
  const { response, line } = await s.ask(s.good());
  assertUnavailable(response);
  assert.equal(line.reason, "keys_unavailable");
}

// A name, what a place answers, and what is said of it. None of these is an end.
const MISSES = [
  ["nothing there", reply.status(404), "status 404"],
  ["an error", reply.status(500), "status 500"],
  ["not acceptable", reply.status(406), "status 406"],
  ["not allowed", reply.status(401), "status 401"],
  ["no content", reply.status(204), "status 204"],
  ["a page", reply.html(), "not a JSON object"],
  ["an empty object", reply.json({}), "its issuer is not the configured issuer"],
  ["an array", reply.json([]), "not a JSON object"],
  ["nothing in it", reply.text(""), "not a JSON object"],
  ["null", reply.text("null"), "not a JSON object"],
  ["another issuer's", reply.json({ issuer: "https://other.example.com", jwks_uri: "JWKS" }), "its issuer is not the configured issuer"],
  ["the issuer with a slash more", { of: (s) => ({ issuer: `${s.name}/` }) }, "its issuer is not the configured issuer"],
  ["the host's own issuer, or none", { of: (s) => ({ issuer: s.name === s.issuer.url ? null : s.issuer.url }) }, "its issuer is not the configured issuer"],
  ["the issuer twice", { of: (s) => `{"issuer":"${s.name}","issuer":"${s.name}","jwks_uri":"${s.issuer.url}/evil"}` }, "not a JSON object"],
  ["a redirect to a good one", reply.redirect("/moved"), "status 302"],
  ["a lasting redirect", reply.redirect("/moved", 308), "status 308"],
  ["more than is read", { of: (s) => JSON.stringify({ ...s.document(), x: "x".repeat(70_000) }) }, "larger than 64 KiB"],
  ["a body without an end", reply.endless(), "larger than 64 KiB"],
  ["a reset", reply.reset(), "unreachable, or no answer within 5 s"],
  ["other bytes", reply.text(Buffer.from([0x7b, 0xff, 0x7d])), "not UTF-8"],
  ["two byte order marks", { of: (s) => `\ufeff\ufeff${JSON.stringify(s.document())}` }, "not a JSON object"],
];
// For keys only: of the copy, the issuer is all that is judged.
const WITHOUT_KEYS = [
  ["no jwks_uri", { of: () => ({ jwks_uri: undefined }) }, "its jwks_uri is missing, or neither https nor http on loopback"],
  ["a jwks_uri that is null", { of: () => ({ jwks_uri: null }) }, "its jwks_uri is missing, or neither https nor http on loopback"],
  ["a jwks_uri of http", { of: () => ({ jwks_uri: "http://keys.example.com/" }) }, "its jwks_uri is missing, or neither https nor http on loopback"],
];

/** Puts a miss of the tables at a place. */
function put(s, place, answer) {
  if (!answer.of) return s.issuer.on(place, answer);
  const given = answer.of(s);
  // A document that could be believed but for its issuer leads to keys of somebody else.
  s.issuer.on(place, typeof given === "string" ? reply.text(given) : reply.json(s.document({ jwks_uri: `${s.issuer.url}/evil`, ...given })));
}

for (const path of ["", "/tenant/1"]) {
  const places = placesOf(path);
  for (const [name, answer, says] of [...MISSES, ...WITHOUT_KEYS]) {
    test(`a miss at the places before, and keys from the last: ${name}, issuer ${path || "without a path"}`, async (t) => {
      const s = await staged(t, path);
      s.issuer.serve([evil], "/evil");
      s.issuer.on("/moved", reply.json(s.document()));
      for (const place of places.slice(0, -1)) put(s, place, answer);
      s.issuer.on(places.at(-1), reply.json(s.document()));
      await assertOk(s);
      const asked = s.asked();
      assert.deepEqual(asked, [...places, "/jwks"], "MCP's order, each once");
      const forged = mint({ key: evil, claims: goodClaims(s.issuer, { iss: s.name }) });
      assert.equal((await s.call(forged)).status, 401);
      assert.equal(s.issuer.hits("/evil"), 0, "no key comes from a document that is not the issuer's");
    });

    test(`a miss at every place: ${name}, issuer ${path || "without a path"}`, async (t) => {
      const s = await staged(t, path);
      s.issuer.on("/moved", reply.json(s.document()));
      for (const place of places) put(s, place, answer);
      await assertNoKeys(s);
      assert.deepEqual(s.asked(), places);
      assert.deepEqual(details(s, "fetch_failed"), [`issuer metadata: ${places.map((place) => `${s.issuer.url}${place}: ${says}`).join("; ")}`]);
    });
  }

  for (const [name, answer, says] of MISSES) {
    test(`the copy is looked for in the same places: ${name}, issuer ${path || "without a path"}`, async (t) => {
      const s = await staged(t, path);
      s.issuer.on("/moved", reply.json(s.document()));
      for (const place of places) put(s, place, answer);
      const second = await s.another();
      assert.equal((await s.copy()).status, 503);
      assert.deepEqual(s.asked(), places);
      const gave = places.map((place) => `${s.issuer.url}${place}: ${says}`).join("; ");
      assert.deepEqual(s.worker.lines("copy").map(({ detail }) => detail), [gave]);
      const document = s.document({ jwks_uri: undefined });
      s.issuer.on(places.at(-1), reply.text(`\ufeff${JSON.stringify(document)}`));
      const { status, text } = await send(second.worker.port, { path: RFC8414 });
      assert.deepEqual([status, text], [200, JSON.stringify(document)], "without the byte order mark, which JSON has no room for");
      assert.deepEqual(s.asked(), places);
    });
  }

  test(`a place that hangs leaves time for the others, issuer ${path || "without a path"}`, async (t) => {
    for (const hang of [reply.hang(), reply.hangInBody("{")]) {
      const s = await staged(t, path);
      for (const place of places.slice(0, -1)) s.issuer.on(place, hang);
      s.issuer.on(places.at(-1), reply.json(s.document()));
      await assertOk(s);
      assert.equal((await s.copy()).status, 200);
    }
  });

  test(`places that all hang: what they gave is said, issuer ${path || "without a path"}`, async (t) => {
    const s = await staged(t, path);
    s.issuer.on(places[0], reply.status(404));
    for (const place of places.slice(1)) s.issuer.on(place, reply.hang());
    await assertNoKeys(s);
    const gave = places.map((place, at) => `${s.issuer.url}${place}: ${at ? "no answer in time" : "status 404"}`);
    assert.deepEqual(details(s, "fetch_failed"), [`issuer metadata: ${gave.join("; ")}`]);
  });
}

test("a first place that is slow is waited for while the others are asked, and the key set after it", async (t) => {
  const s = await staged(t, "/tenant/1");
  const places = placesOf("/tenant/1");
  const held = reply.held(reply.json(s.document()));
  s.issuer.on(places[0], held);
  // What the last place is asked comes long after the first place's share of the time is over.
  s.issuer.on(places[2], (req, res) => {
    reply.status(404)(req, res);
    held.release();
  });
  await assertOk(s);
  assert.deepEqual(s.asked(), [...places, "/jwks"]);
});

test("the first document that serves is the one that is taken", async (t) => {
  const s = await staged(t, "/tenant/1");
  const [first, second, third] = placesOf("/tenant/1");
  s.issuer.on(first, reply.json({}));
  s.issuer.on(second, reply.json(s.document()));
  s.issuer.on(third, reply.json(s.document({ jwks_uri: `${s.issuer.url}/evil` })));
  s.issuer.serve([evil], "/evil");
  await assertOk(s);
  assert.deepEqual(s.asked(), [first, second, "/jwks"]);
});

test("a server that serves one media type only is asked for both", async (t) => {
  for (const [jwks, metadata] of [["application/jwk-set+json", "application/json"], ["application/json", "application/jwk-set+json"]]) {
    const s = await staged(t);
    const strict = (type, value) => (req, res) => {
      const types = (req.headers.accept ?? "").split(",").map((text) => text.trim());
      (types.includes(type) ? reply.text(JSON.stringify(value), type) : reply.status(406))(req, res);
    };
    s.issuer.on(RFC8414, strict(metadata, s.document()));
    s.issuer.on("/jwks", strict(jwks, { keys: [rsa.jwk()] }));
    await assertOk(s);
    assert.deepEqual(s.issuer.log.map(({ headers }) => headers.accept), [ACCEPT, ACCEPT]);
    assert.equal((await s.copy()).status, 200);
    assert.equal(s.issuer.log.at(-1).headers.accept, ACCEPT);
  }
});

test("a byte order mark before a key set or its metadata is skipped, also where KV keeps the set", async (t) => {
  const kv = kvStore(t);
  const s = await staged(t, "", { kv });
  s.issuer.on(RFC8414, reply.text(`\ufeff${JSON.stringify(s.document())}`));
  s.issuer.on("/jwks", reply.text(`\ufeff${JSON.stringify({ keys: [rsa.jwk()] })}`));
  await assertOk(s);
  await until("the set in KV", () => kv.entries().length === 1);
  const { line } = await (await s.another()).ask(s.good());
  assert.deepEqual([line.status, line.keys], [200, "kv"]);
  const twice = await staged(t);
  twice.issuer.on(RFC8414, reply.json(twice.document()));
  twice.issuer.on("/jwks", reply.text(`\ufeff\ufeff${JSON.stringify({ keys: [rsa.jwk()] })}`));
  await assertNoKeys(twice);
  assert.deepEqual(details(twice, "fetch_failed"), ["key set: not a JWK Set"]);
});
