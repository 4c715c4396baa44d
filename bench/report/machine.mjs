// What a run was made on.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, type } from "node:os";
import { join } from "node:path";

import { ROOT, workerdPath } from "../../tests/e2e/support/bundle.mjs";
import { digestOfSources } from "./sources.mjs";

export function machine() {
  const packageVersion = (name) => JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")).version;
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    cpu: cpus()[0].model,
    cores: cpus().length,
    system: `${type()} ${release()}`,
    node: process.version,
    workerd: saidBy(workerdPath(), "--version"),
    jose: packageVersion("jose"),
    rustc: saidBy("rustc", "--version"),
    commit: saidBy("git", "rev-parse", "--short", "HEAD"),
    changed: saidBy("git", "status", "--porcelain", "--", "src", "Cargo.lock") !== "",
    sources: digestOfSources(),
    load: load(),
  };
}

/** How busy the machine was with whatever: runnable processes over the last minute. */
export const load = () => Number(loadavg()[0].toFixed(1));

function saidBy(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
