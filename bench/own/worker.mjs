// The built Worker inside the loop of main.mjs, in workerd: { port, pids(), stop() }.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle } from "../../tests/e2e/support/bundle.mjs";
import { javascript } from "../support/bundles.mjs";
import { stage as makeStage } from "../support/stage.mjs";
import { startWorkerd } from "../support/workerd.mjs";

const TOKENS = 32;

/** edited(source): what the Worker's own module is to be in place of what it is. */
export async function startOwn(folder, edited = (source) => source) {
  const stage = makeStage();
  const built = await bundle();
  mkdirSync(folder, { recursive: true });
  const written = (name, source) => {
    const path = join(folder, name);
    writeFileSync(path, source);
    return { name, path, kind: "esModule" };
  };
  const main = readFileSync(fileURLToPath(new URL("main.mjs", import.meta.url)), "utf8");
  const files = built.files.map((file) => (file.name === built.main ? written(file.name, edited(readFileSync(file.path, "utf8"))) : file));
  const modules = { main: "main.mjs", files: [written("main.mjs", main.replace("WORKER", built.main)), ...files] };
  const bindings = { ...stage.settings, TOKENS: Array.from({ length: TOKENS }, (_, i) => `Bearer ${stage.token("good", i)}`) };
  const origin = { ...(await javascript("origin", join(folder, "origin-modules"))), bindings: { KEY_SETS: stage.keySets } };
  return startWorkerd({ folder: join(folder, "workerd"), modules, bindings, origin });
}
