// README's figures are those of the code that they stand beside. `npm run bench` writes down which
// code it timed, by a digest of it (bench/report/sources.mjs), so that no git is needed to compare.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withFigures } from "../../bench/report/readme.mjs";
import { digestOfSources, FOLDERS } from "../../bench/report/sources.mjs";
import { ROOT } from "../../scripts/setup.mjs";

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const run = JSON.parse(read("bench/results/results.json"));

test("the results are of this code", () => {
  const { commit, changed, sources } = run.machine;
  const again = "run `npm run bench` on a quiet machine, and commit what it writes";
  assert.equal(changed, false, `the code was not committed when it was timed: ${again}`);
  assert.equal(digestOfSources(), sources, `${FOLDERS.join(", ")} are not what was timed at ${commit}: ${again}`);
});

test("README has the figures of the results, and their commit", () => {
  assert.equal(read("README.md"), withFigures(read("README.md"), run));
});

test("a line of code changes the digest, and a comment does not", (t) => {
  const root = mkdtempSync(join(tmpdir(), "mcp-edge-auth-sources-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of FOLDERS) cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  const before = digestOfSources(root);
  assert.equal(before, digestOfSources());
  for (const [path, name] of [["src/edge/mod.rs", "Rust"], ["src/edge/entry.mjs", "JavaScript"]]) {
    const text = readFileSync(join(root, path), "utf8");
    writeFileSync(join(root, path), `// A comment.\n\n${text}    // Another one.\n`);
    assert.equal(digestOfSources(root), before, `a comment in ${name}`);
    writeFileSync(join(root, path), `${text}struct More;\n`);
    assert.notEqual(digestOfSources(root), before, `code in ${name}`);
    writeFileSync(join(root, path), text);
  }
});
