#!/usr/bin/env node
// `npx mcp-edge-auth COMMAND`: everything that an operator types. docs/commands.md.
//
// It promises: `--help` is answered before anything is installed, compiled or started; exit code 0
// means that all is well, 1 that something is wrong, 2 that the arguments are.

import { asksForHelp, helpOf, helpOfAll, Misuse, readArguments, usageOf } from "./command.mjs";
import { check } from "./commands/check.mjs";
import { deploy } from "./commands/deploy.mjs";
import { dev } from "./commands/dev.mjs";
import { doctor } from "./commands/doctor.mjs";
import { init } from "./commands/init.mjs";
import { keygen } from "./commands/keygen.mjs";
import { keys } from "./commands/keys.mjs";
import { logs } from "./commands/logs.mjs";
import { revoke } from "./commands/revoke.mjs";
import { serve } from "./commands/serve.mjs";
import { version } from "./place.mjs";
import { plainLines } from "./plain.mjs";
import { requireNode } from "./terminal.mjs";

const COMMANDS = { init, check, doctor, dev, serve, logs, keygen, keys, revoke, deploy };

requireNode();
process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]) {
  if (name === "--version" || name === "-v") return print(version());
  if (name === undefined || name === "help" || asksForHelp([name])) return print(helpOfAll(COMMANDS), name === undefined);
  if (!Object.hasOwn(COMMANDS, name)) {
    return misuse(`There is no command ${name}.`, `usage: npx mcp-edge-auth ${Object.keys(COMMANDS).join("|")} [OPTIONS]`);
  }
  const command = COMMANDS[name];
  if (asksForHelp(args)) return print(helpOf(name, command));
  try {
    const { values, others } = readArguments(command, args);
    return await command.run(values, others);
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return misuse(error.message, usageOf(name, command));
  }
}

function print(text, isMisuse = false) {
  (isMisuse ? console.error : console.log)(text);
  return isMisuse ? 2 : 0;
}

function misuse(sentence, usage) {
  console.error(plainLines(`${sentence}\n${usage}`));
  return 2;
}
