// HAProxy with jwt_verify: the same place in the path as the Worker, in C. It takes one key from a
// file: no key sets, no `kid`, no refresh.
import { execFile } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort, startServer } from "./support/server.mjs";

const OLDEST = [2, 5]; // the first with jwt_verify and http_auth_bearer
const KINDS = { RS256: "RSA", ES256: "EC" };

export const side = {
  name: "haproxy",
  kind: "process",
  identity: true,
  algorithms: Object.keys(KINDS),

  async available() {
    try {
      const { stdout } = await promisify(execFile)("haproxy", ["-v"]);
      const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout).map(Number);
      if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return true;
      return `haproxy is ${major}.${minor}, and jwt_verify came with ${OLDEST.join(".")}`;
    } catch {
      return "haproxy is not installed";
    }
  },

  async start({ jwks, issuer, audience, algorithm, folder, originPort }) {
    const jwk = jwks.keys.find((key) => key.kty === KINDS[algorithm]);
    const pem = join(folder, "key.pem");
    writeFileSync(pem, createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }));
    const port = await freePort();
    const path = "/mcp";
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, config({ port, originPort, pem, issuer, audience, algorithm }));
    const env = { PATH: process.env.PATH };
    const { pids, stop } = await startServer({ command: "haproxy", args: ["-db", "-f", file], env, cwd: folder, port, path });
    return { port, path, pids, stop };
  },
};

// One thread, as an isolate has one. Identity headers go the Worker's way: whatever came in is
// removed, then set from the token.
const config = ({ port, originPort, pem, issuer, audience, algorithm }) => `global
  nbthread 1

defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always

frontend edge
  bind 127.0.0.1:${port}
  http-request del-header x-mcp-auth- -m beg
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  acl allowed_alg var(txn.alg) -m str ${algorithm}
  acl signed var(txn.token),jwt_verify(txn.alg,"${pem}") -m int 1
  acl in_time var(txn.exp),sub(txn.now) -m int gt 0
  acl from_issuer var(txn.token),jwt_payload_query('$.iss') -m str "${issuer}"
  acl for_us var(txn.token),jwt_payload_query('$.aud') -m str "${audience}"
  http-request return status 401 hdr www-authenticate "Bearer" unless allowed_alg signed in_time from_issuer for_us
  http-request set-header X-MCP-Auth-User-Id %[var(txn.token),jwt_payload_query('$.sub')]
  http-request set-header X-MCP-Auth-Issuer "${issuer}"
  http-request del-header authorization
  default_backend origin

backend origin
  server origin 127.0.0.1:${originPort}
`;
