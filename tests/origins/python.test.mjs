// Origins in Python, each in an environment of its own, which is installed from PyPI first: under a minute, once.
import { environments, findPython } from "./support/python.mjs";
import { shown } from "./support/shown.mjs";

const NAMES = ["fastmcp", "python-sdk", "arcade"];
const python = await findPython();
const made = python.reason ? {} : await environments(python, NAMES);
const skip = python.reason ?? made.reason;
if (skip) console.log(`The origins in Python (FastMCP, the Python SDK, Arcade) are not tried: ${skip}`);

const origin = (name, rest) => shown({ name, extension: "py", command: () => made.commands[name], skip, carrier: "bearer", ...rest });
origin("fastmcp", { revision: "2026-07-28", sessions: "bound" });
origin("python-sdk", { revision: "2026-07-28", sessions: "bound" });
origin("arcade", { revision: "2025-11-25", sessions: "unbound", says: ["sub"], tool: "Whoami_Whoami" });
