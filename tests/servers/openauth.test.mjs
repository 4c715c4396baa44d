// OpenAuth 0.4, by npm. The server is programs/openauth.mjs.
import { fileURLToPath } from "node:url";
import { ensureInstalled, orMissing } from "../e2e/support/packages.mjs";
import { until } from "../e2e/support/until.mjs";
import { freePort, startServer } from "../origins/support/origin.mjs";
import { logIn } from "./support/browser.mjs";
import { tried } from "./support/tried.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const packages = await orMissing("OpenAuth", () => ensureInstalled(FOLDER));
const EMAIL = "alice@example.com";

tried("OpenAuth", {
  skip: packages?.missing,
  async start(t) {
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const { output } = await startServer(t, { command: process.execPath, file: `${FOLDER}programs/openauth.mjs`, port, env: {} });
    const sent = () => [...output().matchAll(/^code for alice@example\.com: (\d{6})$/gm)].map(([, code]) => code);
    return {
      base,
      issuer: base,
      output,
      caller: { sub: EMAIL, client_id: undefined, scope: undefined },
      client: { id: "mcp", port: await freePort() },
      login(url) {
        const before = sent().length;
        return logIn(url, [{ email: EMAIL }, async () => ({ code: await until("the code", () => sent()[before]) })]);
      },
    };
  },
});
