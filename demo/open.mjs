// Shows a URL in the browser of whoever sits at the terminal. It promises: no browser, no screen,
// or nobody there (CI, a pipe) is no error and no wait.

import { spawn } from "node:child_process";

export function openInBrowser(url, { env = process.env, platform = process.platform, terminal = process.stdout.isTTY, start = spawn } = {}) {
  if (!terminal || env.CI) return false;
  const [command, ...args] = opener(url, env, platform) ?? [];
  if (!command) return false;
  try {
    const child = start(command, args, { detached: true, stdio: "ignore" });
    child.once("error", () => {}); // there is no such command: the URL is on the terminal
    child.unref();
    return true;
  } catch {
    return false;
  }
}

function opener(url, { DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME }, platform) {
  if (platform === "darwin") return ["open", url];
  // No shell reads the URL.
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  if (WSL_DISTRO_NAME) return ["rundll32.exe", "url.dll,FileProtocolHandler", url];
  if (DISPLAY || WAYLAND_DISPLAY) return ["xdg-open", url];
}
