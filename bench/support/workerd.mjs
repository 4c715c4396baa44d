// One Worker in bare workerd on loopback: one process, one isolate, and the origin as its outbound
// service.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { workerdPath } from "../../tests/e2e/support/bundle.mjs";
import { bounded } from "../../tests/e2e/support/until.mjs";
import { started } from "./processes.mjs";

const COMPATIBILITY_DATE = "2026-04-26";
const NETWORK = `network = (allow = ["public", "private", "local"])`;

/**
 * modules: of the Worker, as bundles.mjs gives them. bindings: variables, strings or JSON values.
 * origin: { modules, bindings } of the Worker that answers every outgoing fetch; without it they go
 * out on the network. Gives { port, pids(), stop() }. What the Worker logs goes to /dev/null, or to
 * the file `log`: to write it costs the same for every side.
 */
export async function startWorkerd({ folder, modules, bindings, origin, log = devNull }) {
  mkdirSync(folder, { recursive: true });
  const outbound = origin ? `worker = ${worker(folder, "origin", origin)}` : NETWORK;
  const config = join(folder, "config.capnp");
  writeFileSync(config, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = ${worker(folder, "main", { ...modules, bindings, outbound: "outbound" })}),
    (name = "outbound", ${outbound}),
    (name = "internet", network = (allow = []))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`);
  const errors = join(folder, "stderr");
  const [stdout, stderr] = [log, errors].map((path) => openSync(path, "w"));
  const child = spawn(workerdPath(), ["serve", config, "--control-fd=3"], { stdio: ["ignore", stdout, stderr, "pipe"] });
  closeSync(stdout);
  closeSync(stderr);
  const { ended, stop } = started(child);
  const listening = new Promise((resolve, reject) => {
    createInterface({ input: child.stdio[3] }).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.event === "listen") resolve(message.port);
    });
    ended.then(() => reject(new Error(`workerd ended: ${readFileSync(errors, "utf8")}`)));
  });
  return { port: await bounded("workerd's port", listening), pids: () => [child.pid], stop };
}

function worker(folder, name, { main, files, bindings, outbound }) {
  mkdirSync(join(folder, name), { recursive: true });
  const embedded = (file) => `embed "${name}/${file}"`;
  const order = [...files].sort((a, b) => Number(b.name === main) - Number(a.name === main));
  const modules = order.map((file) => {
    copyFileSync(file.path, join(folder, name, file.name));
    return `(name = "${file.name}", ${file.kind} = ${embedded(file.name)})`;
  });
  const values = Object.entries(bindings).map(([variable, value], i) => {
    const text = typeof value === "string";
    writeFileSync(join(folder, name, `binding${i}`), text ? value : JSON.stringify(value));
    return `(name = "${variable}", ${text ? "text" : "json"} = ${embedded(`binding${i}`)})`;
  });
  return `(
      modules = [${modules.join(", ")}],
      bindings = [${values.join(", ")}],
      compatibilityDate = "${COMPATIBILITY_DATE}"${outbound ? `,
      globalOutbound = "${outbound}"` : ""}
    )`;
}
