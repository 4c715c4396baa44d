// Origins in Python, each in an environment of its own, which the first of these tests installs from PyPI: 40 seconds, once.
import { environment, findPython } from "./support/python.mjs";
import { shown } from "./support/shown.mjs";

const python = await findPython();
const skip = python.reason;
if (skip) console.log(`The origins in Python (FastMCP, the Python SDK, Arcade) are not tried: ${skip}`);

// All at once: most of the time goes into waiting.
const NAMES = ["fastmcp", "python-sdk", "arcade"];
const environments = Object.fromEntries(NAMES.map((name) => [name, skip ? undefined : environment(python, name)]));
for (const made of Object.values(environments)) made?.catch(() => {}); // the test that needs it reports it

const origin = (name, rest) => shown({ name, extension: "py", command: () => environments[name], skip, carrier: "bearer", ...rest });
origin("fastmcp", { revision: "2026-07-28" });
origin("python-sdk", { revision: "2026-07-28" });
origin("arcade", { revision: "2025-11-25", says: ["sub"] });
