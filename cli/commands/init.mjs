// `init`: the configuration of a new deployment, from a few answers.
//
// It promises: what it writes has no fault, and nonsense is refused with the fault's own sentence,
// as `check` has it; no file is written over; then `check` and `doctor` look at what was written,
// and the last line is what to type next. Exit code 1 means that nothing was written, or that one
// of the two found something wrong.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Misuse } from "../command.mjs";
import { loadCore } from "../core.mjs";
import { jsonc, settingsOf, toml } from "../init/files.mjs";
import { NoAnswer, openQuestions } from "../init/questions.mjs";
import { ROOT } from "../place.mjs";
import { plain, plainJson } from "../plain.mjs";
import { examineSettings, printFound } from "./check.mjs";
import { examineDeployment, printLine } from "./doctor.mjs";

const CANONICAL = "MCP_SERVER_AUTH_CANONICAL_URL";
const ORIGIN = "ORIGIN_URL";
const SERVERS = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
const EXAMPLE = ".dev.vars.example";
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** The fields that an entry has with one provider or another. */
const PARAMETERS = ["domain", "realm", "tenant", "server", "project", "region", "pool", "application", "resource", "owner", "team"];
const LISTS = { audience: "expected_audiences", client: "expected_clients" };

export const init = {
  does: "writes the configuration of a new deployment, from a few answers",
  more: "It asks for what no option says. Nothing is written over.",
  options: {
    provider: { type: "string", value: "NAME", says: "who issues the tokens: one of docs/providers.md, such as keycloak" },
    "authorization-server": { type: "string", value: "URL", says: "or any other authorization server: its issuer" },
    "canonical-url": { type: "string", value: "URL", says: "the public URL of your MCP server, as clients are given it" },
    origin: { type: "string", value: "URL", says: "where your MCP server really is" },
    ...Object.fromEntries(PARAMETERS.map((name) => [name, { type: "string", value: "TEXT", says: "what the provider asks for" }])),
    audience: { type: "string", multiple: true, value: "TEXT", says: "what `aud` must be, where it is not the canonical URL" },
    client: { type: "string", multiple: true, value: "ID", says: "a client that may call; without it, any" },
    name: { type: "string", value: "NAME", says: "the Worker's name; by default mcp-edge-auth" },
    toml: { type: "boolean", says: "wrangler.toml in place of wrangler.jsonc" },
    json: { type: "boolean", says: "what was written and found, as JSON" },
  },
  async run(given) {
    if (given.provider !== undefined && given["authorization-server"] !== undefined) {
      throw new Misuse("Either --provider or --authorization-server.");
    }
    const file = given.toml ? "wrangler.toml" : "wrangler.jsonc";
    const there = [...NAMES, EXAMPLE].filter((name) => existsSync(name));
    if (there.length) return refuse([`${there.join(" and ")} ${there.length > 1 ? "are" : "is"} here already`]);
    const core = await loadCore();
    const faultsOf = (vars) => core.check({ file, settings: settingsOf(vars) }).lines.filter(({ level }) => level === "fault").map(({ says }) => says);
    const vars = await answers(given, core.providers(), faultsOf);
    if (!vars) return refuse([]);
    const faults = faultsOf(vars);
    if (faults.length) return refuse(faults);
    write(file, given, vars);
    return look(file, given);
  },
};

/** All variables; nothing where no more answers come. */
async function answers(given, providers, faultsOf) {
  const vars = fromOptions(given);
  const [entry] = vars[SERVERS];
  const at = (path) => faultsOf(vars).filter((fault) => fault.startsWith(`${path}: `));
  // Which fields an entry may have, its provider says.
  const fields = entry.provider || entry.authorization_server_url ? Object.keys(entry) : [];
  const told = [...fields.map((field) => `${SERVERS}[0].${field}`), ...[CANONICAL, ORIGIN].filter((name) => name in vars)].flatMap(at);
  if (told.length) return vars; // whose faults are told
  const questions = openQuestions();
  /** Asks for a member of `target`, until it has no fault; an empty answer is none if `blank`. */
  const ask = async (question, option, path, target, field, { blank = false, read = (text) => text } = {}) => {
    if (target[field] !== undefined) return;
    await questions.ask(question, option, (text) => {
      if (!text && blank) return [];
      target[field] = read(text);
      const faults = at(path);
      if (faults.length) delete target[field];
      return faults;
    });
  };
  const askEntry = (question, option, field, more) => ask(question, option, `${SERVERS}[0].${field}`, entry, field, more);
  try {
    if (!entry.provider && !entry.authorization_server_url) {
      console.error(`Who issues the tokens? One of these providers, or the URL of another authorization server:\n  ${providers.map(({ name }) => name).join(" ")}`);
      await questions.ask("Provider or URL", "provider", (text) => {
        const field = text.includes("://") ? "authorization_server_url" : "provider";
        entry[field] = text;
        const faults = at(`${SERVERS}[0].${field}`);
        if (faults.length) delete entry[field];
        return faults;
      });
    }
    const provider = providers.find(({ name }) => name === entry.provider);
    const isScript = given.provider !== undefined; // which says what it does not want as usual
    for (const { name, default: usual, example } of provider?.parameters ?? []) {
      if (usual !== null && isScript) continue;
      await askEntry(usual ? `${name} (${usual})` : `${name}, such as ${example}`, name, name, { blank: usual !== null });
    }
    const list = { read: (text) => text.split(/[\s,]+/).filter(Boolean) };
    if (provider?.audience) await askEntry(`Audience: ${provider.audience}`, "audience", LISTS.audience, list);
    if (provider?.clients) await askEntry(`Clients: ${provider.clients}`, "client", LISTS.client, list);
    await ask("Public URL of your MCP server, such as https://mcp.example.com/mcp", "canonical-url", CANONICAL, vars, CANONICAL);
    await ask("Where it really is, such as https://origin.example.com/mcp", "origin", ORIGIN, vars, ORIGIN);
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  } finally {
    questions.end();
  }
  return vars;
}

function fromOptions(given) {
  const entry = {};
  if (given.provider !== undefined) entry.provider = given.provider;
  if (given["authorization-server"] !== undefined) entry.authorization_server_url = given["authorization-server"];
  for (const name of PARAMETERS) if (given[name] !== undefined) entry[name] = given[name];
  for (const [option, field] of Object.entries(LISTS)) if (given[option]) entry[field] = given[option];
  const vars = { [SERVERS]: [entry] };
  if (given["canonical-url"] !== undefined) vars[CANONICAL] = given["canonical-url"];
  if (given.origin !== undefined) vars[ORIGIN] = given.origin;
  return vars;
}

function write(file, { name }, vars) {
  const { hostname, host } = new URL(vars[CANONICAL]);
  const [label, , ...rest] = hostname.split(".");
  const isShared = rest.join(".") === "workers.dev";
  const isLocal = new URL(vars[CANONICAL]).protocol === "http:";
  const known = { name: name ?? (isShared ? label : "mcp-edge-auth"), host: isShared || isLocal ? undefined : host, vars };
  const options = { flag: "wx" }; // not even where somebody else was faster
  writeFileSync(file, (file.endsWith(".toml") ? toml : jsonc)(known), options);
  writeFileSync(EXAMPLE, readFileSync(join(ROOT, EXAMPLE)), options);
}

/** What check and doctor say of what was written. */
async function look(file, { json }) {
  const say = json ? () => {} : console.log;
  say(`Written: ${file}, ${EXAMPLE}.\n`);
  const checked = await examineSettings({ config: file });
  if (!json) printFound(checked);
  say("");
  const examined = await examineDeployment({ config: file }, {}, json ? () => {} : printLine);
  const ok = checked.ok && examined.ok;
  const install = existsSync(join("node_modules", "mcp-edge-auth")) ? "" : "npm install --save-dev mcp-edge-auth wrangler && ";
  const next = `${install}npx mcp-edge-auth ${ok ? "deploy" : "doctor"}`;
  if (json) console.log(plainJson({ ok, written: [file, EXAMPLE], check: checked, doctor: examined, next }));
  else console.log(`\n${ok ? "Next" : "Correct what failed; then"}: ${next}`);
  return ok ? 0 : 1;
}

function refuse(faults) {
  for (const fault of faults) console.error(plain(`- ${fault}`));
  console.error("Nothing was written.");
  return 1;
}
