// How many wasm functions a new isolate has called until it has started, until its first document
// and until its first verified answer. V8 compiles a function when it is first called, which is
// most of what a cold start takes; here it says of each that it does.
import { readFileSync } from "node:fs";

import { connect, request } from "../sides/support/socket.mjs";
import { METADATA, startStage } from "../sides/support/stage.mjs";
import { ours, prepare } from "../sides/support/workerd.mjs";

const FLAGS = ["--trace-wasm-compilation-times"];
const COMPILED = /^Compiled function \S+#(\d+) using .* bodysize (\d+) /gm;

/** { given, counts }: functions, and the bytes of their code. */
export async function functions() {
  const modules = await ours();
  const stage = await startStage();
  let said = "";
  const worker = prepare(modules, stage.vars, { v8Flags: FLAGS, heard: (chunk) => (said += chunk) });
  const counts = {};
  try {
    for (const [until, bytes] of [["start"], ["document", request("GET", METADATA)], ["verified", stage.good(1)]]) {
      said = "";
      const running = await worker.start();
      if (bytes) await answered(running.port, bytes);
      await running.stop(); // after which all that it has said is here
      const called = new Map([...said.matchAll(COMPILED)].map(([, index, size]) => [index, Number(size)]));
      if (!called.size) throw new Error("V8 did not say what it compiled.");
      counts[until] = called.size;
      counts[`${until}, bytes`] = [...called.values()].reduce((sum, size) => sum + size, 0);
    }
  } finally {
    worker.remove();
    stage.close();
  }
  return { given: { rustc: compilerOf(modules) }, counts };
}

async function answered(port, bytes) {
  const socket = await connect(port);
  const status = await socket.ask(bytes);
  socket.close();
  if (status !== 200) throw new Error(`the first answer was ${status}`);
}

/** The compiler that made the wasm, as the wasm itself says. */
export function compilerOf(modules) {
  const { path } = modules.find(({ kind }) => kind === "wasm");
  const said = /rustc[\0-\x7f](\d[\x20-\x7e]*\))/.exec(readFileSync(path, "latin1"));
  return said ? said[1] : "unknown";
}
