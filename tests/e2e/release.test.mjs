// What a release is made with: the notes, the list of what is in it, the workflow; and which
// wrangler the package is tried with on another Node. The release itself is `npm run release --
// --dry-run`, which builds everything twice.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCore } from "../../cli/core.mjs";
import { newestFor } from "../../scripts/matrix/versions.mjs";
import { notesOf } from "../../scripts/release/notes.mjs";
import { cratesOf, sbom } from "../../scripts/release/sbom.mjs";
import { ROOT } from "./support/bundle.mjs";

const read = (file) => readFileSync(join(ROOT, file), "utf8");

test("the notes are the version's section of the changelog, and nothing of another one", () => {
  const changelog = "# Changelog\n\nThe format.\n\n## [Unreleased]\n\n### Added\n\n- New.\n\n## [0.2.0] - 2026-12-01\n\n- Second [1].\n\n## [0.2.0-rc.1] - 2026-11-30\n";
  assert.equal(notesOf(changelog, "Unreleased"), "### Added\n\n- New.");
  assert.equal(notesOf(changelog, "0.2.0"), "- Second [1].");
  assert.equal(notesOf(changelog, "0.2.0-rc.1"), undefined, "a section without a word");
  assert.equal(notesOf(changelog, "0.1.0"), undefined);
  assert.ok(notesOf(read("CHANGELOG.md"), "Unreleased"));
});

test("of a crate that only runs in the compiler, and of what it uses, no code is in the wasm", () => {
  const crate = (name, kind = "lib", source = "registry") => ({ id: name, name, version: "1.0.0", license: "MIT/Apache-2.0", source, targets: [{ kind: [kind] }] });
  const uses = (id, deps) => ({ id, deps: Object.entries(deps).map(([pkg, kind]) => ({ pkg, dep_kinds: [{ kind }] })) });
  const packages = [crate("mcp-edge-auth", "lib", null), crate("other", "lib", null), crate("used"), crate("derive", "proc-macro"), crate("parser"), crate("cc"), crate("tests")];
  const nodes = [
    uses("mcp-edge-auth", { used: null, derive: null, tests: "dev" }), uses("other", { tests: null }),
    uses("used", { cc: "build" }), uses("derive", { parser: null, used: null }), uses("parser", {}), uses("cc", {}), uses("tests", {}),
  ];
  const { components, roots, dependencies } = cratesOf({ packages, resolve: { nodes } }, new Map([["used 1.0.0", "abc"]]));
  assert.deepEqual(roots, ["cargo:mcp-edge-auth@1.0.0"]);
  assert.deepEqual(components.map(({ name, scope }) => `${name} ${scope}`), ["cc excluded", "derive excluded", "mcp-edge-auth required", "parser excluded", "used required"]);
  const used = components.at(-1);
  assert.deepEqual([used.purl, used.hashes, used.licenses], ["pkg:cargo/used@1.0.0", [{ alg: "SHA-256", content: "abc" }], [{ expression: "MIT OR Apache-2.0" }]]);
  assert.deepEqual(dependencies.find(({ ref }) => ref === "cargo:used@1.0.0").dependsOn, ["cargo:cc@1.0.0"]);
});

test("the list of a release has every crate whose code the wasm names, with its checksum", async () => {
  await loadCore(); // built where it has to be
  const text = sbom();
  assert.equal(text, sbom(), "the same, whenever it is made");
  const { metadata, components, dependencies, ...rest } = JSON.parse(text);
  assert.deepEqual([rest.bomFormat, rest.serialNumber, metadata.timestamp, metadata.component.name], ["CycloneDX", undefined, undefined, "mcp-edge-auth"]);
  const refs = new Set([metadata.component, ...components].map((one) => one["bom-ref"]));
  assert.equal(refs.size, components.length + 1);
  for (const { ref, dependsOn } of dependencies) for (const one of [ref, ...dependsOn]) assert.ok(refs.has(one), one);
  for (const wasm of ["build/index_bg.wasm", "cli/build/index_bg.wasm"]) {
    // A panic names the file that it is in.
    const named = readFileSync(join(ROOT, wasm), "latin1").matchAll(/crates\/[\w.-]+\/([\w-]+?)-(\d[\w.+-]*)\/src\//g);
    const crates = new Set([...named].map(([, name, version]) => `${name} ${version}`));
    assert.ok(crates.size > 5, `${wasm} names ${crates.size} crates`);
    for (const crate of crates) {
      const one = components.find(({ name, version }) => `${name} ${version}` === crate);
      assert.deepEqual([one?.scope, one?.hashes?.[0].content.length], ["required", 64], crate);
    }
  }
});

test("nothing that is built names a folder of the machine that built it", async () => {
  await loadCore();
  const home = process.env.CARGO_HOME ?? join(process.env.HOME, ".cargo");
  for (const wasm of ["build/index_bg.wasm", "cli/build/index_bg.wasm"]) {
    const bytes = readFileSync(join(ROOT, wasm));
    for (const folder of [home, ROOT]) assert.ok(!bytes.includes(folder), `${wasm} names ${folder}`);
  }
});

test("the workflow runs actions of a fixed commit, scripts that there are, and the pinned compiler", () => {
  const workflow = read(".github/workflows/release.yml");
  const uses = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action);
  assert.ok(uses.length > 4, uses.join());
  for (const action of uses) assert.match(action, /^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  const { scripts } = JSON.parse(read("package.json"));
  for (const [, name] of workflow.matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name], name);
  assert.ok(existsSync(join(ROOT, ".ci", "run")));
  const [, version] = /^version=(.+)$/m.exec(read("scripts/install-rust.sh"));
  assert.match(workflow, new RegExp(`RUSTUP_TOOLCHAIN: ${version.replaceAll(".", "\\.")}\n`));
});

test("another Node is tried with the last wrangler that takes it", () => {
  const wranglers = [["4.9.0", ">=18.0.0"], ["4.86.0", ">=20.3.0"], ["4.87.0", ">=22.0.0"], ["4.160.0", ">=22.12"], ["4.161.0-beta.1", ">=18"], ["4.162.0", undefined]];
  const all = wranglers.map(([version, takes]) => ({ version, takes }));
  for (const [node, wanted] of [["18.0.0", "4.9.0"], ["20.2.9", "4.9.0"], ["20.3.0", "4.86.0"], ["22.11.0", "4.87.0"], ["22.12.0", "4.160.0"], ["24.1.0", "4.160.0"], ["16.0.0", undefined]]) {
    assert.equal(newestFor(node, all), wanted, node);
  }
});

test("a release is made of what is committed, has notes, and is tagged", (t) => {
  // A repository with what the command reads before it builds anything.
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-release-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of ["scripts", "cli/plain.mjs", "cli/terminal.mjs", "package.json"]) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  const git = (...args) => execFileSync("git", ["-C", folder, "-c", "user.name=test", "-c", "user.email=test@acme.test", ...args], { stdio: "ignore" });
  const said = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "scripts", "release.mjs"), ...args], { encoding: "utf8", timeout: 60_000 });
    assert.equal(status, 1, stderr);
    return stderr;
  };
  writeFileSync(join(folder, "CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n\n- New.\n");
  git("init", "--quiet");
  assert.match(said("--wet-run"), /Unknown option '--wet-run'[^]*usage: npm run release/);
  assert.match(said(), /CHANGELOG\.md has no section \[\d/);
  assert.match(said("--dry-run"), /this is not:\n\?\? CHANGELOG\.md/);
  const { version } = JSON.parse(read("package.json"));
  writeFileSync(join(folder, "CHANGELOG.md"), `# Changelog\n\n## [${version}] - 2026-12-01\n\n- New.\n`);
  git("add", "--all");
  git("commit", "--quiet", "--message", "All of it");
  assert.match(said(), /The commit has no tag v\d/);
});
