// The Worker's log for people: one line for each of its lines, with columns.
//
// It promises: nothing that the log says of others (kids, tool names, issuers, messages of servers)
// moves the cursor, begins a line or turns one around; where nobody looks at it, or JSON was asked
// for, the log stays one JSON object a line.

import { plain, plainJsonLine } from "../plain.mjs";
import { timed } from "./log.mjs";

const COLOURS = { forwarded: 32, served: 36, refused: 31, waiting: 33, misconfigured: 31 };
const YELLOW = 33;
const RED = 31;
const GREY = 90;
const OUTCOME_COLUMNS = 9;
const WHAT_COLUMNS = 26;
const WHO_COLUMNS = 18;
const WHY_COLUMNS = 24;
const MS_COLUMNS = 6;

/**
 * What prints a line of the Worker's log, and says whether it was one: `print(line, when)`. `json`:
 * whether JSON is wanted. `stream`: what it is written to.
 */
export function printer({ json = false, stream = process.stdout, env = process.env } = {}) {
  const isForPeople = !json && Boolean(stream.isTTY);
  const colours = isForPeople && !env.NO_COLOR && env.TERM !== "dumb";
  return (line, when = new Date()) => {
    const text = timed(line, when);
    if (text === undefined) return false;
    const lines = isForPeople ? forPeople(text, { colours, when }) : [plainJsonLine(text)];
    for (const one of lines) stream.write(`${one}\n`);
    return true;
  };
}

/** The lines that people get of a line of the log; the line itself where it cannot be read. */
export function forPeople(text, { colours = false, when = new Date() } = {}) {
  let line;
  try {
    line = JSON.parse(text);
  } catch {
    return [plain(text)];
  }
  const paint = (words, colour) => (colours && colour ? `\u001b[${colour}m${words}\u001b[0m` : words);
  const start = paint(clock(when), GREY);
  if (line.event === "request") return [`${start}  ${request(line, paint)}`.trimEnd()];
  const { event, time, faults, warnings, ...rest } = line;
  const head = paint(plain(event).padEnd(OUTCOME_COLUMNS), COLOURS[event] ?? GREY);
  const lines = [`${start}  ${head}  ${EVENTS[event]?.(rest) ?? members(rest)}`.trimEnd()];
  for (const fault of listed(faults)) lines.push(`${start}  ${paint(column("fault", OUTCOME_COLUMNS), RED)}  ${plain(fault)}`);
  for (const warning of listed(warnings)) lines.push(`${start}  ${paint(column("warning", OUTCOME_COLUMNS), YELLOW)}  ${plain(warning)}`);
  return lines;
}

/** Outcome, what was asked for, who asked, why, and how long it took. */
function request(line, paint) {
  const { outcome, reason, would_refuse: would, status, ms } = line;
  const colour = would === undefined ? COLOURS[outcome] : YELLOW;
  const why = would === undefined ? (reason === "ok" ? "" : reason) : `would refuse: ${would}`;
  return [
    paint(column(outcome, OUTCOME_COLUMNS), colour),
    plain(status ?? ""),
    column(what(line), WHAT_COLUMNS),
    column(who(line), WHO_COLUMNS),
    paint(plain(why ?? "").padEnd(WHY_COLUMNS), colour),
    `${plain(ms ?? "").padStart(MS_COLUMNS)} ms`,
    plain(line.argument ?? line.detail ?? ""),
  ].join("  ");
}

const what = ({ method, rpc_method: rpc, rpc_name: name, rpc_batch: batch }) =>
  batch === undefined ? [rpc ?? method, name].filter((part) => part !== undefined).join(" ") : [`batch of ${batch}`, name ?? rpc].filter((part) => part !== undefined).join(": ");

const who = ({ sub, client, anonymous, iss }) => sub ?? client ?? iss ?? (anonymous ? "anonymous" : "-");

/** What is told of the lines that are no request's. */
const EVENTS = {
  waiting: (line) => `${plain(what(line))}  for ${plain(line.seconds)} s so far: the MCP server has not answered`,
  keys: ({ source, result, detail }) => plain([result, source, detail].filter(Boolean).join("  ")),
  copy: ({ source, result, detail }) => plain([result, source, detail].filter(Boolean).join("  ")),
  redirect: ({ resource, to }) => plain(`the MCP server of ${resource} sends clients to ${to}`),
};

const members = (rest) =>
  Object.entries(rest).map(([name, value]) => `${plain(name)}: ${plain(Array.isArray(value) ? value.join(", ") : value)}`).join("; ");

const listed = (value) => (Array.isArray(value) ? value : []);

/** A column: what is longer is cut. */
function column(value, columns) {
  const characters = [...plain(value ?? "")];
  return characters.length > columns ? `${characters.slice(0, columns - 1).join("")}…` : characters.join("").padEnd(columns);
}

const clock = (when) => [when.getHours(), when.getMinutes(), when.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
