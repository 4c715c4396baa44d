// Which code was timed: a digest of the folders that a permitted request passes through. It goes
// into the results, so that figures can be told from those of other code, without asking git, which
// not every checkout has.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../../scripts/setup.mjs";

export const FOLDERS = ["src/edge", "src/origin", "src/token"];

/** A comment by itself or an empty line is no part of what was timed. */
const isCode = (line) => !/^\s*(\/\/.*)?$/.test(line);

/** SHA-256, in hex, of every file's path and lines of code. */
export function digestOfSources(root = ROOT) {
  const hash = createHash("sha256");
  for (const folder of FOLDERS) {
    const paths = readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
    for (const path of paths.filter((name) => /\.(rs|mjs)$/.test(name)).sort()) {
      const lines = readFileSync(join(root, path), "utf8").split(/\r?\n/).filter(isCode);
      hash.update(`${path}\0${lines.join("\n")}\0`);
    }
  }
  return hash.digest("hex");
}
