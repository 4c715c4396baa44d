// What all commands have in common: how their arguments are read, and what `--help` says.
//
// A command is { does, takes, options, run }: a sentence, how its other arguments are shown, the
// options of `util.parseArgs` with what each says and how its value is shown, and what to do with
// `(values, others)`, which gives the exit code.

// By its default: a named import that an old Node lacks fails before its version is looked at.
import util from "node:util";

const COLUMNS = 100;
const HELP = { type: "boolean", short: "h", says: "print this" };

/** The options of every command that reads wrangler's file. */
export const SETTINGS_OPTIONS = {
  config: { type: "string", short: "c", value: "FILE", says: "another file than the one that wrangler would take" },
  env: { type: "string", short: "e", value: "NAME", says: "an environment of it" },
};

/** The options of the commands that judge these settings. */
export const JUDGING_OPTIONS = {
  ...SETTINGS_OPTIONS,
  "dev-vars": { type: "boolean", says: "with the secrets of .dev.vars, as serve and wrangler dev have them" },
  json: { type: "boolean", says: "the same as JSON" },
};

/** Arguments that a command does not take: exit code 2. */
export class Misuse extends Error {}

/** Whether somebody asks how it is used, whatever else is wrong. What follows `--` is not ours. */
export function asksForHelp(args) {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).some((argument) => argument === "--help" || argument === "-h");
}

/** { values, others } of a command's arguments; throws Misuse. */
export function readArguments({ options = {}, takes }, args) {
  const known = Object.fromEntries(Object.entries(options).map(([name, { type, short, multiple }]) => [name, { type, ...(short && { short }), ...(multiple && { multiple }) }]));
  try {
    const { values, positionals } = util.parseArgs({ args, options: known, allowPositionals: takes !== undefined });
    return { values, others: positionals };
  } catch (error) {
    throw new Misuse(error.message);
  }
}

/** One line: the command with all that it takes. */
export function usageOf(name, { options = {}, takes }) {
  const shown = Object.entries(options).map(([option, { value, multiple }]) => `[--${option}${value ? ` ${value}` : ""}${multiple ? " ..." : ""}]`);
  return ["usage: npx mcp-edge-auth", name, takes, ...shown].filter(Boolean).join(" ");
}

/** What `--help` prints of a command. */
export function helpOf(name, command) {
  const options = Object.entries({ ...command.options, help: HELP }).map(([option, { short, value, says }]) => [
    `  ${short ? `-${short}, ` : "    "}--${option}${value ? ` ${value}` : ""}`,
    says,
  ]);
  return `${usageOf(name, command)}

${wrapped(`${capital(command.does)}. ${command.more ?? ""}`.trim(), "")}

${table(options)}`;
}

/** What `--help` prints of all of them. */
export function helpOfAll(commands) {
  return `usage: npx mcp-edge-auth COMMAND [OPTIONS]

OAuth 2.1 in front of any MCP server, at the edge.

${table(Object.entries(commands).map(([name, { does }]) => [`  ${name}`, does]))}

\`npx mcp-edge-auth COMMAND --help\` names its options; --version prints the version.
Exit codes: 0 all is well, 1 something is wrong, 2 the arguments are.`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, says]) => name.padEnd(width) + wrapped(says, " ".repeat(width))).join("\n");
}

/** Text in lines of at most 100 columns; the second and all after it begin with `margin`. */
function wrapped(text, margin) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line && margin.length + line.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join(`\n${margin}`);
}
