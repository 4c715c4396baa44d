// better-auth 1.7, by npm. The server is programs/better-auth.mjs.
import { fileURLToPath } from "node:url";
import { ensureInstalled, orMissing } from "../e2e/support/packages.mjs";
import { until } from "../e2e/support/until.mjs";
import { freePort, startServer } from "../origins/support/origin.mjs";
import { logIn } from "./support/browser.mjs";
import { tried } from "./support/tried.mjs";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const packages = await orMissing("better-auth", () => ensureInstalled(FOLDER));

tried("better-auth", {
  skip: packages?.missing,
  async start(t, resource) {
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const { output } = await startServer(t, { command: process.execPath, file: `${FOLDER}programs/better-auth.mjs`, port, env: { RESOURCE: resource } });
    const sub = await until("the user", () => /^alice is (\S+)$/m.exec(output())?.[1]);
    return {
      base,
      issuer: `${base}/api/auth`,
      output,
      caller: { sub, client_id: /^\w{32}$/, scope: /\bopenid\b/ },
      login: (url) => logIn(url, [{ email: "alice@example.com", password: "correct horse" }, { accept: "yes" }]),
    };
  },
});
