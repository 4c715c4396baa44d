// What a run leaves behind: results.md to read, results.json to reckon with, results.svg to look
// at.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { goalRows } from "./goals.mjs";
import { pictureOf } from "./picture.mjs";
import { tableOf } from "./table.mjs";

/**
 * run: { machine, loadAfter, minutes, rounds, slice, skipped: [[name, reason]], results, goals }
 */
export function writeResults(folder, run) {
  mkdirSync(folder, { recursive: true });
  const picture = pictureOf(run.results);
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(run, rounded, 1)}\n`);
  writeFileSync(join(folder, "results.md"), documentOf(run, Boolean(picture)));
  if (picture) writeFileSync(join(folder, "results.svg"), picture);
}

const rounded = (_, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value);

function documentOf({ machine, loadAfter, minutes, rounds, slice, skipped, results, goals }, picture) {
  const { date, cpu, cores, system, node, workerd, jose, rustc, commit, changed, load } = machine;
  const reached = goalRows(goals);
  return [
    "# What a request costs: results of `npm run bench`",
    `${date} UTC, ${minutes} min, ${rounds} rounds with slices of ${slice} s. ${cores} cores (${cpu}), ${system}; Node ${node}, ${workerd}, ` +
      `jose ${jose}, ${rustc}; commit ${commit}${changed ? " with changes" : ""}. Load of the machine before the run ${load}, after it ${loadAfter}.`,
    "CPU is user and system time of all threads of the server's process, by the operating system, divided by the requests it answered. " +
      "Medians over the rounds, quartiles in brackets; a ratio is taken within each round, so read the ratios, not the microseconds. " +
      "What the sides are, and how to run it: [README](../README.md).",
    picture && "![CPU per request by algorithm, jose = 1](results.svg)",
    reached && `## The goals\n\n${markdown(reached)}`,
    ...results.map((result) => `## ${result.title}\n\n${sectionOf(result)}`),
    skipped.length && `## Skipped\n\n${skipped.map(([name, reason]) => `- ${name}: ${reason}`).join("\n")}`,
  ].filter(Boolean).join("\n\n") + "\n";
}

function sectionOf(result) {
  if (!result.cells.length) return "Nothing was timed.";
  const table = tableOf(result);
  return [markdown(table), ...table.notes].join("\n\n");
}

function markdown({ head, rows }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i ? "--:" : "---"))), ...rows.map(line)].join("\n");
}
