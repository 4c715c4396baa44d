// Who judges the mutants: the built Worker in workerd, jose, and PyJWT. Each is asked for a good
// token of these issuer and audiences, with the same keys, the same algorithms and 60 seconds for
// the clocks.
import { createLocalJWKSet, jwtVerify } from "jose";
import { spawn } from "node:child_process";
import http from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../e2e/support/until.mjs";
import { stage } from "../e2e/support/stage.mjs";
import { ALGORITHMS } from "../e2e/support/keys.mjs";
import { JWKS } from "./mutants.mjs";

const LEEWAY = 60;
const PROGRAM = fileURLToPath(new URL("pyjwt.py", import.meta.url));
/** Requests to the Worker at the same time. */
const CONNECTIONS = 8;

/** The Worker with one entry: { issuer, verdicts(tokens), reasons(tokens) }. */
export async function startOurs(t, audience) {
  const staged = await stage(t, { keys: JWKS.keys, vars: { MCP_SERVER_AUTH_CANONICAL_URL: audience }, entry: { algorithm: ALGORITHMS } });
  staged.origin.on("/upstream", (_, res) => res.end());
  let asked = 0;
  const logged = () => until("a line in the log for each token", () => {
    const lines = staged.worker.lines("request");
    return lines.length === asked && lines;
  });
  const ask = (token, agent) => new Promise((resolve, reject) => {
    const head = { host: "127.0.0.1", port: staged.worker.port, path: "/mcp", agent, headers: { authorization: `Bearer ${token}` } };
    http.get(head, (response) => response.resume().on("end", () => resolve(response.statusCode === 200))).on("error", reject);
  });
  /** Asks about all tokens, over so many connections. */
  const askAll = async (tokens, connections) => {
    asked += tokens.length;
    const agent = new http.Agent({ keepAlive: true });
    const verdicts = [];
    const next = tokens.entries();
    const work = async () => {
      for (const [n, token] of next) verdicts[n] = await ask(token, agent);
    };
    await Promise.all(Array.from({ length: connections }, work));
    agent.destroy();
    return verdicts;
  };
  return {
    issuer: staged.issuer.url,
    verdicts: (tokens) => askAll(tokens, CONNECTIONS),
    /**
     * Why tokens are refused, as the log has it: one after the other, so that its lines are in
     * their order.
     */
    async reasons(tokens) {
      await logged();
      await askAll(tokens, 1);
      return (await logged()).slice(-tokens.length).map(({ reason }) => reason);
    },
  };
}

/** Both spellings of the audience, since the Worker takes a trailing slash for no difference. */
const audiences = (audience) => [audience, `${audience}/`];
const REQUIRED = ["exp", "iss", "aud", "sub"];

export function joses({ issuer, audience }) {
  const keys = createLocalJWKSet(JWKS);
  const options = { issuer, audience: audiences(audience), algorithms: [...ALGORITHMS, "Ed25519"], clockTolerance: LEEWAY, requiredClaims: REQUIRED };
  const verdict = (token) => jwtVerify(token, keys, options).then(() => true, () => false);
  return async (tokens) => {
    const verdicts = [];
    for (const token of tokens) verdicts.push(await verdict(token));
    return verdicts;
  };
}

/** `python`: the interpreter of an environment that has PyJWT. */
export function pyjwts(t, python, { issuer, audience }) {
  return async (tokens) => {
    const child = spawn(python, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    const settings = { jwks: JWKS, issuer, audiences: audiences(audience), algorithms: [...ALGORITHMS, "Ed25519"], leeway: LEEWAY };
    child.stdin.on("error", () => {}); // it ended, and its verdicts are too few
    child.stdin.end([settings, ...tokens].map((line) => `${JSON.stringify(line)}\n`).join(""));
    const verdicts = [];
    for await (const line of createInterface({ input: child.stdout })) verdicts.push(line === "ok");
    if (verdicts.length !== tokens.length) throw new Error(`PyJWT ended after ${verdicts.length} of ${tokens.length} tokens`);
    return verdicts;
  };
}
