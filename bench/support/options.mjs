// The flags of `npm run bench`.
import { join } from "node:path";
import { parseArgs } from "node:util";

import { ROOT, stop } from "../../scripts/setup.mjs";

const FLAGS = {
  sides: { type: "string" },
  work: { type: "string" },
  rounds: { type: "string" },
  slice: { type: "string" },
  quick: { type: "boolean", default: false },
  "no-build": { type: "boolean", default: false },
  ours: { type: "string", multiple: true, default: [] },
  out: { type: "string" },
};

const list = (text) => text?.split(",").map((name) => name.trim()).filter(Boolean);

/** known: the names of all works. */
export function options(args, known) {
  const values = parsed(args);
  const works = list(values.work);
  const unknown = works?.find((name) => !known.includes(name));
  if (unknown) stop(`There is no work ${unknown}; there are ${known.join(", ")}.`);
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
  const slice = Number(values.slice ?? (values.quick ? 0.3 : 0.9));
  if (!(Number.isInteger(rounds) && rounds >= 1) || !(slice > 0)) stop("--rounds takes a whole number, --slice seconds, both above 0.");
  const variants = Object.fromEntries(values.ours.map(pair));
  // Only a whole run replaces the results that are kept.
  const whole = !values.sides && !works && !values.quick && !values.ours.length && rounds >= 7 && slice >= 0.9;
  const out = values.out ?? join(ROOT, ...(whole ? ["bench", "results"] : ["dist", "bench", "results"]));
  const kept = whole && values.out === undefined;
  return { kept, sides: list(values.sides), works, rounds, slice, warm: values.quick ? 0.4 : 0.8, build: !values["no-build"], variants, out };
}

function parsed(args) {
  try {
    return parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    return stop(error.message);
  }
}

/** NAME=FOLDER, as `--ours` takes it. */
export function pair(text) {
  const [name, folder] = text.split(/=(.*)/s);
  if (!/^[\w.-]+$/.test(name) || !folder) stop(`--ours takes NAME=FOLDER, not ${text}.`);
  return [name, folder];
}
