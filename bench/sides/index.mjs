// The sides of the comparison.
//
// A side is `{ name, available(), start(given), forwards?, identity?, refuses?, accepts?,
// algorithms? }`:
//
//   available()   true, or the reason for which it is skipped
//   start(given)  starts it on a free port of 127.0.0.1; gives { port, path, pids(): the processes
//                 whose CPU counts, stop() }, and { headers, body } where the server needs a
//                 tools/call of its own
//   algorithms    the only ones it can do
//   what the probe may ask before a side is timed:
//     identity    whether the origin is told who calls (X-MCP-Auth-User-Id, X-MCP-Auth-Issuer) and
//                 not the token
//     forwards    whether there is an origin at all (default: `identity`)
//     strict      whether it refuses every bad token that the tests know of
//     refuses     the kinds of token that it answers with 401 (default REFUSED: all)
//     accepts     the kinds of bad token that it lets in, because that check is what the side
//                 leaves out (default: none)
//
// given: { folder, issuer, jwks, canonicalUrl, audience, algorithm, originPort }:
//   folder        for its files; it exists, and is removed after the run
//   issuer        the exact `iss`;  jwks: its key set, { keys: [public JWKs] }
//   canonicalUrl, audience  the resource, and the `aud` of its tokens;  algorithm: of the tokens,
//                           such as "RS256"
//   originPort    of an HTTP server on 127.0.0.1 that answers every POST with a small JSON-RPC
//                 result, and /…/probe with what it was sent
// Worker sides also read `stage` and `inside` (whether the origin is a Worker in the same workerd);
// see worker.mjs.
//
// A server of another kind is one file here that exports `side`, and a line in EXTERNAL.
import { side as fastmcp } from "./python-fastmcp.mjs";
import { side as arcade } from "./python-arcade.mjs";
import { side as haproxy } from "./haproxy.mjs";
import { workerSides } from "./worker.mjs";

const EXTERNAL = [arcade, fastmcp, haproxy];

/** All sides by name; `variants` are more builds of the Worker itself, { name: folder }. */
export const allSides = (variants = {}) => new Map([...workerSides(variants), ...EXTERNAL].map((side) => [side.name, side]));
