// The goals, and what a run says of them. Every ratio is taken within a round; the median of the
// rounds is held against the goal.
import { ratios } from "../support/stats.mjs";
import { values } from "./compare.mjs";

/** of(work, side, label): the cell. */
const ratio = (work, above, below, name = "cpu") => (of) => {
  const [a, b] = [of(work, ...above), of(work, ...below)];
  return a && b && ratios(values(a, name), values(b, name));
};

/** What `above` costs more than the base, to what `below` does. */
const added = (work, above, below) => (of) => {
  const [base, a, b] = ["base", above, below].map((side) => of(work, side));
  if (!base || !a || !b) return undefined;
  const more = (cell) => values(cell, "cpu").map((cpu, round) => cpu - base.samples[round].cpu);
  return ratios(more(a), more(b));
};

/** What `ours` is to stay below, jose = 1; the picture marks it. */
export const FORWARD_GOALS = { RS256: 0.9, ES256: 0.92, EdDSA: 0.92, PS256: 0.9 };
/** And what it is to stay below beside JavaScript without a library. */
const BY_HAND_GOALS = { "by-hand": 0.97, "by-hand-lean": 1 };
const REFUSALS = ["expired", "audience", "garbage"];

/** Goals of other commands than `npm run bench`, which judge them by themselves. */
export const OWN_CODE_US = 10; // bench:own, microseconds of CPU
export const FIRST_ANSWER_MS = { document: 2.5, verified: 9.5 }; // bench:startup, from listening
export const FIRST_ANSWER_OF_OTHER = 0.6; // bench:startup, ours : an earlier build in the same run
export const COMPRESSED_KIB = 275; // bench:startup

const GOALS = [
  ...Object.entries(FORWARD_GOALS).map(([name, most]) => ({
    measure: `CPU per request, verify and forward, ours : jose, ${name}`, most, value: ratio(name, ["ours"], ["jose"]),
  })),
  ...Object.entries(BY_HAND_GOALS).flatMap(([side, most]) => Object.keys(FORWARD_GOALS).map((name) => ({
    measure: `CPU per request, verify and forward, ours : ${side}, ${name}`, most, value: ratio(name, ["ours"], [side]),
  }))),
  ...Object.entries({ RS256: 0.8, ES256: 0.84 }).map(([name, most]) => ({
    measure: `CPU per request, verify and answer, ours : jose, ${name}`, most, value: ratio(`${name}-answer`, ["ours-answer"], ["jose-answer"]),
  })),
  { measure: "CPU that verifying adds to the base, ours : jose, RS256", most: 0.58, value: added("RS256", "ours", "jose") },
  { measure: "CPU that verifying adds to the base, ours : the bare check, RS256", most: 1.4, value: added("RS256", "ours", "bare") },
  ...REFUSALS.map((kind) => ({
    measure: `CPU of a refusal (${kind}), ours : jose`, most: 0.8, value: ratio("refused", ["ours", kind], ["jose", kind]),
  })),
  ...REFUSALS.map((kind) => ({
    measure: `CPU of a refusal (${kind}) : of a yes, ours`, most: 1, value: ratio("refused", ["ours", kind], ["ours", "good"]),
  })),
  { measure: "CPU of a 401 without credentials, ours : jose", most: 0.9, value: ratio("refused", ["ours", "none"], ["jose", "none"]) },
  { measure: "CPU of the metadata document, ours : jose", most: 0.9, value: ratio("metadata", ["ours"], ["jose"]) },
  { measure: "throughput, ours : Arcade's Python server with its validator", least: 8, value: ratio("servers", ["ours"], ["arcade"], "perSecond") },
  { measure: "p99 at a fixed rate, ours : jose", most: 1, value: ratio("latency", ["ours"], ["jose"], "p99") },
  { measure: "CPU per request, 100 authorization servers : 1", most: 1.05, value: ratio("issuers", ["ours", "100"], ["ours", "1"]) },
  { measure: "CPU per request, 60 keys : 1", most: 1.05, value: ratio("keys", ["ours", "60"], ["ours", "1"]) },
  { measure: "CPU of a 2 KiB tools/call, 10 rules : no policy", most: 1.3, value: ratio("policy", ["ours", "10 names"], ["ours", "no policy"]) },
  ...["names", "methods", "beginnings", "endings"].map((of) => ({
    measure: `CPU of a 2 KiB tools/call, 1 000 rules : 10, by ${of}`, most: 1.2, value: ratio("policy", ["ours", `1000 ${of}`], ["ours", `10 ${of}`]),
  })),
  { measure: "CPU of an event of 8 MiB whose list is filtered : of 1 MiB", most: 10, value: ratio("list", ["ours", "8 MiB"], ["ours", "1 MiB"]) },
  { measure: "CPU of an SSE stream of 1 000 events, ours : base", most: 1.05, value: ratio("SSE", ["ours"], ["base"]) },
  { measure: "CPU of 1 MiB each way, ours : base", most: 1.05, value: ratio("1MiB", ["ours"], ["base"]) },
];

/** [{ measure, goal, value: { median, q1, q3 } | undefined, verdict }] */
export function goalsOf(results) {
  const of = (work, side, label) =>
    results.find(({ name }) => name === work)?.cells.find((cell) => cell.side === side && (label === undefined || cell.label === label));
  return GOALS.map(({ measure, most, least, value }) => {
    const found = value(of);
    const met = found && (most === undefined ? found.median >= least : found.median <= most);
    return { measure, goal: most === undefined ? `≥ ${least}` : `≤ ${most}`, value: found, verdict: found ? verdict(met) : "not measured" };
  });
}

export const verdict = (met) => (met ? "met" : "missed");

/** Rows of the measured ones, for a table. */
export function goalRows(goals) {
  const measured = goals.filter(({ value }) => value);
  if (!measured.length) return undefined;
  const text = ({ median, q1, q3 }) => `${median.toFixed(2)} (${q1.toFixed(2)}-${q3.toFixed(2)})`;
  return { head: ["", "goal", "measured", ""], rows: measured.map(({ measure, goal, value, verdict }) => [measure, goal, text(value), verdict]) };
}
