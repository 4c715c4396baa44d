// The assertion: a JWT that the origin verifies by itself, with the key set that the Worker publishes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { ASSERTION, asserting, carried, JWKS, pem, privateJwk, published, verified } from "./support/assertion.mjs";
import { signingKey } from "./support/keys.mjs";
import { seconds } from "./support/mint.mjs";
import { assertOwn, stage } from "./support/stage.mjs";

const KEY = "MCP_SERVER_AUTH_ASSERTION_KEY";
const CLAIMS = { sub: "user-1", client_id: "client-1", scope: "mcp:read mcp:write", email: "user@example.com" };

for (const [mode, header, other] of [["header", ASSERTION, "authorization"], ["bearer", "authorization", ASSERTION]]) {
  for (const kind of ["p256", "ed25519"]) {
    test(`${mode}, ${kind}: the origin's own verifier says who is calling`, async (t) => {
      const s = await stage(t, { vars: asserting(mode, { [KEY]: privateJwk(kind, "ours") }) });
      const before = seconds();
      assert.equal((await s.call(s.token(CLAIMS))).status, 200);
      assert.ok(s.origin.last().header(header));
      assert.equal(s.origin.last().header(other), undefined);
      const keys = await published(s.worker);
      const audience = s.settings.ORIGIN_URL;
      const { payload, protectedHeader } = await verified(carried(s), keys, { issuer: "https://mcp.example.com", audience });
      assert.deepEqual(protectedHeader, { typ: "at+jwt", alg: kind === "p256" ? "ES256" : "EdDSA", kid: `${kind}-ours` });
      const { iat, exp, jti, ...rest } = payload;
      assert.deepEqual(rest, {
        iss: "https://mcp.example.com", aud: audience, sub: "user-1", client_id: "client-1", scope: "mcp:read mcp:write", idp: s.issuer.url,
      });
      assert.ok(iat >= before && iat <= seconds() && exp === iat + 60, `${iat} ${exp}`);
      assert.match(jti, /^[0-9a-f-]{36}$/);
      assert.equal(s.origin.last().header("x-mcp-auth-user-id"), "user-1", "the plain headers stay");
    });
  }
}
