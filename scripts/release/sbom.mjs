// What a release is made of, as CycloneDX: npm's own list of this repository's packages, and beside
// it the crates, from cargo's metadata and Cargo.lock.
//
// It promises: the same sources give the same text, so it has neither a time nor a random number.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../setup.mjs";

const TARGET = "wasm32-unknown-unknown";
/** The crates of this repository that the package has as wasm. */
const OURS = ["mcp-edge-auth", "cli"];

/** The whole list, as text. What only builds or tests is in it, with another scope. */
export function sbom() {
  const { metadata, components, dependencies, serialNumber, ...rest } = JSON.parse(output("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]));
  const { timestamp, component, ...others } = metadata;
  const crates = cratesOf(JSON.parse(output("cargo", ["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET])), checksums());
  const main = component["bom-ref"];
  const text = {
    ...rest,
    // npm says the folder's name.
    metadata: { ...others, component: { ...component, name: "mcp-edge-auth" } },
    components: [...components, ...crates.components],
    dependencies: [
      ...dependencies.map(({ ref, dependsOn }) => ({ ref, dependsOn: ref === main ? [...crates.roots, ...dependsOn] : dependsOn })),
      ...crates.dependencies,
    ],
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

/**
 * The crates of our own and all that they are made of: { components, dependencies, roots }. Those
 * whose code may be in the wasm are "required", and those that only run in the compiler "excluded".
 */
export function cratesOf({ packages, resolve }, sums) {
  const known = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const usedBy = (id, kinds) => nodes.get(id).deps.filter(({ dep_kinds: all }) => all.some(({ kind }) => kinds.includes(kind))).map(({ pkg }) => pkg);
  const runsInCompiler = (id) => known.get(id).targets.some(({ kind }) => kind.includes("proc-macro"));
  const below = (ids, next) => {
    const seen = new Set();
    for (const rest = [...ids]; rest.length; ) {
      const id = rest.pop();
      if (!seen.has(id)) rest.push(...next(id));
      seen.add(id);
    }
    return seen;
  };
  const roots = packages.filter(({ name, source }) => source === null && OURS.includes(name)).map(({ id }) => id);
  const inWasm = below(roots, (id) => usedBy(id, [null]).filter((used) => !runsInCompiler(used)));
  const all = [...below(roots, (id) => usedBy(id, [null, "build"]))];
  const refOf = (id) => `cargo:${known.get(id).name}@${known.get(id).version}`;
  const components = all.map((id) => {
    const { name, version, license, description, source } = known.get(id);
    const sum = sums.get(`${name} ${version}`);
    return {
      "bom-ref": refOf(id),
      type: "library",
      name,
      version,
      scope: inWasm.has(id) ? "required" : "excluded",
      ...(description && { description: description.trim() }),
      ...(source && { purl: `pkg:cargo/${name}@${version}` }),
      ...(sum && { hashes: [{ alg: "SHA-256", content: sum }] }),
      ...(license && { licenses: [{ expression: license.replaceAll("/", " OR ") }] }),
    };
  });
  const dependencies = all.map((id) => ({ ref: refOf(id), dependsOn: [...new Set(usedBy(id, [null, "build"]).map(refOf))].sort() }));
  const byRef = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);
  return { components: components.sort(byRef("bom-ref")), dependencies: dependencies.sort(byRef("ref")), roots: roots.map(refOf).sort() };
}

/** What Cargo.lock says of crates from a registry: "NAME VERSION" to the SHA-256 of the file. */
function checksums() {
  const lock = readFileSync(join(ROOT, "Cargo.lock"), "utf8");
  const found = lock.matchAll(/^name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(.+)"$/gm);
  return new Map([...found].map(([, name, version, sum]) => [`${name} ${version}`, sum]));
}

const output = (command, args) => execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 });
