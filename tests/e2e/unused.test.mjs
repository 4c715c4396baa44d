// What the build takes out of the Worker is what nothing uses, and all of that:
// `xtask/src/unused.rs` cuts `index.js` by its looks, which another version of wasm-bindgen may
// change.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/setup.mjs";

const build = join(ROOT, "build");
const index = readFileSync(join(build, "index.js"), "utf8");
const wasm = namesIn(readFileSync(join(build, "index_bg.wasm")));
const ours = readdirSync(build).filter((name) => name.endsWith(".mjs")).map((name) => readFileSync(join(build, name), "utf8"));

const sorted = (names) => [...new Set(names)].sort();
const found = (pattern, text) => sorted([...text.matchAll(pattern)].map(([, name]) => name));

test("index.js gives our modules what they use, and no class to anybody", () => {
  const imports = ours.flatMap((text) => found(/import \{([^}]*)\} from "\.\/index\.js"/g, text)).flatMap((names) => names.split(",").map((name) => name.trim()));
  const used = sorted([...imports, ...ours.flatMap((text) => found(/\bwasm\.(\w+)\(/g, text))]);
  assert.ok(used.length > 5, "the imports of our modules were not found");
  const exported = found(/^export \w+ (\w+)/gm, index);
  assert.deepEqual(used.filter((name) => !exported.includes(name)), [], "gone, though it is used");
  assert.deepEqual(exported.filter((name) => !ours.some((text) => text.includes(name))), [], "there, though nobody uses it");
  assert.deepEqual(found(/^(?:export )?class (\w+)/gm, index), []);
});

test("each export looks whether a fresh instance is due, before it copies anything into the old one", () => {
  const starts = found(/^export function ([a-z]\w*)\(/gm, index);
  assert.ok(starts.length > 10, starts.join(" "));
  assert.deepEqual(found(/^export function ([a-z]\w*)\([^)]*\) \{\n +__wbg_call_guard\(\);/gm, index), starts);
});

test("the wasm exports what index.js calls, and nothing else", () => {
  const exported = sorted(wasm.exports);
  assert.deepEqual(exported, found(/\bwasm\.(\w+)/g, index));
});

test("index.js has what the wasm asks for, and nothing else", () => {
  const asked = sorted(wasm.imports.map(({ name }) => name));
  const given = found(/^ {8}(\w+): /gm, index).filter((name) => name !== "__proto__");
  assert.ok(asked.length > 20);
  assert.deepEqual(given.filter((name) => !asked.includes(name)), [], "there, though the wasm does not ask for it");
  const others = ["./keys.mjs"]; // such imports are handed over as whole modules
  const own = wasm.imports.filter(({ module }) => !others.includes(module)).map(({ name }) => name);
  assert.deepEqual(sorted(own).filter((name) => !given.includes(name)), [], "gone, though the wasm asks for it");
});

/**
 * What a wasm module imports and exports. Not every Node that runs the tests compiles what workerd
 * does.
 */
function namesIn(bytes) {
  const names = { imports: [], exports: [] };
  let at = 8; // after the magic number and the version
  const number = () => {
    let value = 0;
    for (let shift = 0, byte = 128; byte > 127; shift += 7) {
      byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
    }
    return value;
  };
  const name = () => {
    const length = number();
    at += length;
    return bytes.toString("utf8", at - length, at);
  };
  const limits = () => (bytes[at++] & 1 ? [number(), number()] : [number()]);
  // Function, table, memory, global, tag.
  const skip = [number, () => [number(), limits()], limits, () => [number(), at++], () => [at++, number()]];
  while (at < bytes.length) {
    const [section, end] = [bytes[at++], number() + at];
    if (section === 2) {
      for (let left = number(); left > 0; left--) {
        names.imports.push({ module: name(), name: name() });
        skip[bytes[at++]]();
      }
    }
    if (section === 7) {
      for (let left = number(); left > 0; left--, at++, number()) names.exports.push(name());
    }
    at = end;
  }
  return names;
}
