// Which request it was, for whoever looks at other logs beside this one: the members that name it
// in the issuer's log (`client`, `jti`), in Cloudflare's (`cf_ray`, `colo`, `version`) and in a
// trace (`trace`). All but those of the token are a client's to send in some deployment, so each is
// taken in its own form only.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./support/bundle.mjs";
import { assertPlain, HOSTILE } from "./support/hostile.mjs";
import { call, guarded, post } from "./support/policy.mjs";
import { stage } from "./support/stage.mjs";

const NAMES = ["client", "jti", "cf_ray", "colo", "trace", "version"];
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OTHER = "4bf92f3577b34da6a3ce929d0e0e4736";
const parent = (id) => `00-${id}-b7ad6b7169203331-01`;
const TRACEPARENTS = JSON.parse(readFileSync(join(ROOT, "tests", "golden", "traceparents.json"), "utf8"));

/** The same Worker where the runtime says this of a request, and has this binding VERSION. */
const around = (main) => `import worker from "./${main}";
export default {
  fetch(request, env, context) {
    const said = JSON.parse(decodeURIComponent(request.headers.get("x-said") ?? "{}"));
    const given = "cf" in said ? new Request(request, { cf: said.cf }) : request;
    return worker.fetch(given, { ...env, VERSION: env.GIVEN_VERSION }, context);
  },
};
`;

const said = (cf) => encodeURIComponent(JSON.stringify({ cf }));

/** The members of a line that these tests are about. */
const of = (line) => Object.fromEntries(NAMES.filter((name) => name in line).map((name) => [name, line[name]]));

test("a line names the request as the issuer, Cloudflare and a trace name it", async (t) => {
  const version = "db7cd8d3-4425-4fe7-8c81-01bf963b6067";
  const s = await stage(t, { around, vars: { GIVEN_VERSION: { id: version, tag: "v1", timestamp: "2026-11-26T00:00:00Z" } } });
  const headers = { "x-said": said({ colo: "FRA" }), "cf-ray": "9a1b2c3d4e5f6071", traceparent: parent(TRACE) };
  const { line } = await s.ask(s.token({ client_id: "app", jti: "token-1" }), { headers });
  const runtime = { cf_ray: "9a1b2c3d4e5f6071", colo: "FRA", trace: TRACE, version };
  assert.deepEqual(of(line), { client: "app", jti: "token-1", ...runtime });
  // Whatever the end of the request.
  assert.deepEqual(of((await s.ask(undefined, { headers })).line), runtime);
  assert.deepEqual(of((await s.ask(s.token({ client_id: "app", jti: "t", exp: 1 }), { headers })).line), runtime, "nothing unverified");
  const served = await s.worker.logged(() => s.worker.send({ path: "/healthz", headers }));
  assert.deepEqual(of(served.line), runtime);
  // The rest of the line is as it was.
  assert.deepEqual([line.event, line.outcome, line.status, Number.isFinite(line.ms)], ["request", "forwarded", 200, true]);
});

test("what is not there has no member", async (t) => {
  const s = await stage(t);
  assert.deepEqual(of((await s.ask(s.token())).line), {});
});

test("what has not its form is left out, and breaks no line", async (t) => {
  const s = await stage(t, { around });
  const rays = [
    ["a".repeat(128), true], ["9a1b2c3d4e5f6071-FRA", true], ["a".repeat(129), false], ['x","outcome":"forwarded', false], ["a b", false],
    ["a\\", false], ["a,b", false], ["caf\u00e9", false], ["a_b", false], ["a\u0085", false], ["", false],
  ];
  for (const [ray, taken] of rays) {
    const { line } = await s.ask(undefined, { headers: { "cf-ray": Buffer.from(ray).toString("latin1") } });
    assert.equal(line.cf_ray, taken ? ray : undefined, ray);
    assert.equal(line.outcome, "refused");
  }
  const colos = [["FRA", true], ["abcdefgh", true], ["ab", false], ["abcdefghi", false], ['F"A', false], ["F\u2028A", false], ["F\ud800A", false], [7, false], [null, false], [{}, false]];
  for (const [colo, taken] of colos) {
    const { line } = await s.ask(undefined, { headers: { "x-said": said({ colo }) } });
    assert.equal(line.colo, taken ? colo : undefined, JSON.stringify(colo));
  }
  assertPlain(s.worker.stdout);
});

test("a binding VERSION that is none leaves no member", async (t) => {
  for (const id of ['x"', "a".repeat(129), "", 'a","reason":"ok', "a\n", null, [], {}]) {
    const s = await stage(t, { around, vars: { GIVEN_VERSION: { id } } });
    const { line } = await s.ask();
    assert.ok(!("version" in line), JSON.stringify(id));
    assert.equal(line.reason, "credentials_missing");
  }
  for (const given of ["text", 7, {}]) assert.ok(!("version" in (await (await stage(t, { around, vars: { GIVEN_VERSION: given } })).ask()).line));
});

test("only a valid traceparent names a trace", async (t) => {
  const s = await stage(t);
  for (const [text, id] of TRACEPARENTS) {
    const { line } = await s.ask(undefined, { headers: { traceparent: text } });
    assert.equal(line.trace ?? null, id, text);
  }
  const two = await s.ask(undefined, { headers: { traceparent: [parent(TRACE), parent(OTHER)] } });
  assert.ok(!("trace" in two.line), "of two headers nobody knows which");
});

test("where the body is read, a message names the trace that no header does", async (t) => {
  const s = await guarded(t);
  const token = s.token({ scope: "mcp tools" });
  const asked = async (traceparent, header) => {
    const body = call("search", { params: { name: "search", _meta: { traceparent } } });
    const { line } = await s.ask(token, post(body, header ? { traceparent: header } : {}));
    assert.equal(line.outcome, "forwarded");
    return line.trace;
  };
  assert.equal(await asked(parent(OTHER)), OTHER);
  assert.equal(await asked(parent(OTHER), parent(TRACE)), TRACE, "the header is what proxies on the way have seen");
  assert.equal(s.worker.stdout.split(OTHER).length - 1, 1, "and is the only one");
  assert.equal(await asked(parent(OTHER), "00-none"), OTHER, "an invalid header is none");
  for (const [text, id] of TRACEPARENTS) assert.equal((await asked(text)) ?? null, id, text);
  for (const odd of [7, null, {}, HOSTILE, `${parent(TRACE)}\u2028`]) assert.equal(await asked(odd), undefined, JSON.stringify(odd));
  // A refusal names it, too.
  const { line } = await s.ask(s.token({ scope: "mcp" }), post(call("search", { params: { name: "search", _meta: { traceparent: parent(OTHER) } } })));
  assert.deepEqual([line.outcome, line.trace], ["refused", OTHER]);
  // Without rules nobody reads the body for its sake.
  const free = await stage(t);
  assert.ok(!("trace" in (await free.ask(free.token(), post(call("search", { params: { name: "search", _meta: { traceparent: parent(OTHER) } } })))).line));
});

test("what a token says of itself is cut, and moves nothing", async (t) => {
  const s = await stage(t);
  const { line } = await s.ask(s.token({ client_id: HOSTILE, jti: HOSTILE }));
  const kept = HOSTILE.replace(/\p{Cc}/gu, "");
  assert.deepEqual([line.client, line.jti], [kept, kept]);
  const long = await s.ask(s.token({ client_id: "é".repeat(400), jti: "\u{1f642}".repeat(400) }));
  assert.deepEqual([long.line.client, long.line.jti], ["é".repeat(128), "\u{1f642}".repeat(64)]);
  for (const jti of [7, null, "", ["a"], { a: 1 }, undefined]) assert.ok(!("jti" in (await s.ask(s.token({ jti }))).line), JSON.stringify(jti));
  assertPlain(s.worker.stdout);
});
