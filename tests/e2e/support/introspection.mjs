// An introspection endpoint of the fake issuer's: it records what it is asked, and answers as the
// test has it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { CANONICAL, entryFor, stage } from "./stage.mjs";
import { minted, seconds } from "./mint.mjs";

export const PATH = "/introspect";
/** The variable that has the secret, and what is in it: nothing that a form takes as it is. */
export const SECRET = "AS_CLIENT_SECRET";
export const CLIENT = { id: "mcp edge:auth", secret: "p%ss+w=rd & ~*:/?" };

/** An opaque token that no other test has, which must never be in a log. */
export function opaque(start = "oat_") {
  const token = start + randomBytes(24).toString("base64url");
  minted.add(token);
  return token;
}

/** What a server says of a good token. */
export const active = (over = {}, now = seconds()) => ({
  active: true, token_type: "Bearer", sub: "user-1", aud: CANONICAL, client_id: "client-1", scope: "mcp:use", iat: now - 10, exp: now + 600, ...over,
});

/**
 * A stage whose only entry is asked about opaque tokens. `introspection`: members in place of the
 * usual ones (undefined takes one away); what is left goes to stage(). s.asked: what the endpoint
 * was asked, each { authorization, form, headers, path }; s.tells(answer): (asked, res, req) or a
 * value that is sent as JSON.
 */
export async function introspecting(t, { introspection = {}, entry = {}, vars = {}, path = PATH, ...rest } = {}) {
  const s = await stage(t, {
    entries: (issuer) => [entryFor(issuer, {
      introspection: { url: `${issuer.url}${PATH}`, client_id: CLIENT.id, client_secret: SECRET, ...introspection },
      ...entry,
    })],
    vars: { [SECRET]: CLIENT.secret, ...vars },
    ...rest,
  });
  s.asked = [];
  let answer = active();
  s.tells = (next) => (answer = next);
  s.issuer.on(path, async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    const asked = { method: req.method, authorization: req.headers.authorization, form, headers: req.headers };
    s.asked.push(asked);
    if (typeof answer === "function") return answer(asked, res, req);
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  return s;
}

/** Asserts that neither tokens nor secrets are in what the Worker has printed. */
export function assertSilent(s, ...secrets) {
  for (const secret of [CLIENT.secret, encodeURIComponent(CLIENT.secret), ...secrets]) {
    assert.ok(!s.worker.output().includes(secret), `a secret is in the log: ${secret.slice(0, 3)}…`);
  }
}

/** The lines about introspections. */
export const told = (s) => s.worker.lines("introspection").map(({ source, result, detail }) => ({ source, result, detail }));
