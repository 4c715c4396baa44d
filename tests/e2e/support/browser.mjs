// A Chromium of this machine, headless, by playwright-core: nothing is downloaded.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * Where a Chromium is: CHROMIUM_PATH, /usr/bin/chromium, or one in PATH; undefined if there is
 * none.
 */
export function chromiumPath() {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const inPath = PATH.split(delimiter).filter(Boolean).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return ["/usr/bin/chromium", ...inPath].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * A browser with a profile of its own, which asks nobody but the pages that a test opens; closed
 * with the test. `args`: more of its command line.
 */
export async function startBrowser(t, args = []) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
  });
  t.after(() => browser.close());
  return browser;
}
