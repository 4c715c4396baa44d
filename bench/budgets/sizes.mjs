// How large the Worker is that `wrangler deploy` would upload. The compression is that of the crate
// flate2, which Cargo.lock pins, and the same on every machine.
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";

import { ROOT, bundle } from "../../tests/e2e/support/bundle.mjs";
import { compilerOf } from "./functions.mjs";

/** { given, counts }: bytes. */
export async function sizes() {
  const { files } = await bundle();
  const said = execFileSync("cargo", ["xtask", "size", dirname(files[0].path)], { cwd: ROOT, encoding: "utf8" });
  const each = said.trim().split("\n").map((line) => line.split(" ").slice(-2).map(Number));
  const [raw, compressed] = [0, 1].map((column) => each.reduce((sum, row) => sum + row[column], 0));
  return { given: { rustc: compilerOf(files) }, counts: { raw, compressed } };
}
