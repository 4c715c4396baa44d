// The modules of each Worker side, bundled with wrangler's own esbuild and wrangler's own options,
// so that every side is what `wrangler deploy` would upload of it.
import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { ROOT, bundle } from "../../tests/e2e/support/bundle.mjs";

const fromRoot = createRequire(join(ROOT, "package.json"));
const esbuild = () => createRequire(fromRoot.resolve("wrangler/package.json"))("esbuild");

const OPTIONS = {
  bundle: true,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*"], // the runtime has them
  keepNames: true,
  logLevel: "error",
};

/**
 * A JS side: bench/sides/worker/<name>.mjs. Gives { main, files } as tests/e2e/support/bundle.mjs
 * does.
 */
export async function javascript(name, folder, { answer = false, silent = false } = {}) {
  const path = join(folder, "index.js");
  await esbuild().build({
    ...OPTIONS,
    entryPoints: [fileURLToPath(new URL(`../sides/worker/${name}.mjs`, import.meta.url))],
    define: { ANSWER: String(answer), SILENT: String(silent) },
    outfile: path,
  });
  return { main: "index.js", files: [{ name: "index.js", path, kind: "esModule" }] };
}

/**
 * The Worker itself: the default build, or the one in `built`: a folder of modules, or one such as
 * build/, which still needs bundling.
 */
export async function ours(folder, built) {
  if (built === undefined) return bundle();
  const source = resolve(built);
  if (existsSync(join(source, "index_bg.wasm"))) return around(source, folder);
  const names = readdirSync(source).filter((name) => /\.(m?js|wasm)$/.test(name));
  const files = names.map((name) => ({ name, path: join(source, name), kind: name.endsWith(".wasm") ? "wasm" : "esModule" }));
  files.sort((a, b) => a.kind.localeCompare(b.kind));
  return { main: files[0].name, files };
}

/**
 * src/edge/entry.mjs around another folder than build/. An entry.mjs beside that folder's index.js
 * comes before it.
 */
async function around(source, folder) {
  const wasm = [];
  const redirect = {
    name: "build-folder",
    setup(build) {
      build.onResolve({ filter: /\/build\/index\.js$/ }, () => ({ path: join(source, "index.js") }));
      build.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        wasm.push(join(resolveDir, path));
        return { path: `./${wasm.length}.wasm`, external: true };
      });
    },
  };
  const entry = [join(source, "entry.mjs"), join(ROOT, "src", "edge", "entry.mjs")].find((path) => existsSync(path));
  await mkdir(folder, { recursive: true });
  const main = join(folder, "index.js");
  await esbuild().build({ ...OPTIONS, entryPoints: [entry], plugins: [redirect], outfile: main });
  const copies = wasm.map((path, i) => ({ name: `${i + 1}.wasm`, path: join(folder, `${i + 1}.wasm`), kind: "wasm", from: path }));
  await Promise.all(copies.map(({ from, path }) => copyFile(from, path)));
  return { main: "index.js", files: [{ name: "index.js", path: main, kind: "esModule" }, ...copies] };
}
