// What a permitted request makes: objects of the runtime, and strings that are carried into wasm
// and out of it. Counted by the stand-ins of `npm run bench:own` (../own/main.mjs), in workerd.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startOwn } from "../own/worker.mjs";

const TIMES = 100;
const PAGE = "https://app.example.com";

/** The functions of wasm-bindgen that every string passes through, and which way. */
const STRINGS = [
  ["passStringToWasm0", "string into wasm"],
  ["getStringFromWasm0", "string out of wasm"],
];

/** Per request: { call, page }, each { counts }. `page`: the call has an `Origin`. */
export async function objects() {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-auth-objects-"));
  try {
    const running = await startOwn(folder, countingStrings);
    try {
      const [call, page] = [await counted(running), await counted(running, PAGE)];
      return { call: { counts: call }, page: { counts: page } };
    } finally {
      await running.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function counted({ port }, origin = "") {
  const response = await fetch(`http://127.0.0.1:${port}/?how=count&times=${TIMES}&origin=${encodeURIComponent(origin)}`);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  const { good, made } = JSON.parse(text);
  if (good !== TIMES) throw new Error(`${good} of ${TIMES} requests were permitted.`);
  return Object.fromEntries(Object.entries(made).map(([name, count]) => [name, count / TIMES]));
}

/** The Worker's JavaScript, calling `crossed` for each string. */
export function countingStrings(source) {
  return STRINGS.reduce((text, [name, way]) => {
    const head = new RegExp(`function ${name}\\([^)]*\\) \\{`);
    if (!head.test(text)) throw new Error(`The Worker has no ${name}; wasm-bindgen may have named it anew.`);
    return text.replace(head, (found) => `${found} globalThis.crossed?.(${JSON.stringify(way)});`);
  }, source);
}
