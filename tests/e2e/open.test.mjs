// `npm start` opens the page for people where somebody can see it, and never fails where nobody
// can.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { openInBrowser } from "../../demo/open.mjs";

const URL_OF_IT = "http://127.0.0.1:8787/mcp";

/** What would be started, and whether it says so. */
function tried(options) {
  const started = [];
  const start = (...call) => {
    started.push(call);
    return Object.assign(new EventEmitter(), { unref() {} });
  };
  return { opened: openInBrowser(URL_OF_IT, { env: {}, terminal: true, start, ...options }), started };
}

// name, what is there, the command
const ROWS = [
  ["macOS", { platform: "darwin" }, ["open", [URL_OF_IT]]],
  ["Windows", { platform: "win32" }, ["rundll32", ["url.dll,FileProtocolHandler", URL_OF_IT]]],
  ["Linux with X", { platform: "linux", env: { DISPLAY: ":0" } }, ["xdg-open", [URL_OF_IT]]],
  ["Linux with Wayland", { platform: "linux", env: { WAYLAND_DISPLAY: "wayland-0" } }, ["xdg-open", [URL_OF_IT]]],
  ["WSL", { platform: "linux", env: { WSL_DISTRO_NAME: "Debian" } }, ["rundll32.exe", ["url.dll,FileProtocolHandler", URL_OF_IT]]],
  ["no screen", { platform: "linux" }],
  ["a pipe", { platform: "darwin", terminal: false }],
  ["CI", { platform: "darwin", env: { CI: "true" } }],
];

for (const [name, options, expected] of ROWS) {
  test(`a browser is opened where there is one: ${name}`, () => {
    const { opened, started } = tried(options);
    assert.equal(opened, expected !== undefined);
    assert.deepEqual(started.map(([command, args]) => [command, args]), expected ? [expected] : []);
  });
}

test("a command that is not there, or cannot be started, is no error", async () => {
  const start = () => { throw new Error("EAGAIN"); };
  assert.equal(tried({ platform: "darwin", start }).opened, false);
  const { spawn } = await import("node:child_process");
  let child;
  const real = (_, args, options) => (child = spawn("/nowhere/open", args, options));
  assert.equal(tried({ platform: "darwin", start: real }).opened, true);
  await new Promise((resolve) => child.once("error", resolve));
});
