// The mutants, judged by all, and what their verdicts come to.
import { seconds } from "../e2e/support/mint.mjs";
import { MILDER, STRICTER } from "./known.mjs";
import { good, JWKS, mutants, written } from "./mutants.mjs";
import { joses, pyjwts, startOurs } from "./readers.mjs";

/**
 * `interpreter`: of Python with PyJWT, or undefined. Gives how often each outcome came, and the
 * failures.
 */
export async function compare({ count, seed, audience, interpreter }) {
  const endings = [];
  const t = { after: (end) => endings.push(end) };
  try {
    const ours = await startOurs(t, audience);
    const settings = { issuer: ours.issuer, audience, now: seconds() };
    const others = { jose: joses(settings), ...(interpreter && { PyJWT: pyjwts(t, interpreter, settings) }) };
    await askForGoodOnes({ ours: ours.verdicts, ...others }, settings);
    const all = [...mutants({ count, seed, ...settings })];
    const tokens = all.map(({ token }) => token);
    const verdicts = { ours: await ours.verdicts(tokens) };
    for (const [name, judge] of Object.entries(others)) verdicts[name] = await judge(tokens);
    const judged = all.map((mutant, n) => ({ ...mutant, verdicts: Object.fromEntries(Object.entries(verdicts).map(([name, list]) => [name, list[n]])) }));
    // Why the Worker alone refuses a token is asked afterwards: the order of its log lines is that
    // of the questions only where they come one by one.
    const stricter = judged.filter(({ verdicts: { ours: taken, ...rest } }) => !taken && Object.values(rest).includes(true));
    const reasons = await ours.reasons(stricter.map(({ token }) => token));
    stricter.forEach((mutant, n) => (mutant.reason = reasons[n]));
    const outcomes = {};
    const failures = [];
    for (const mutant of judged) {
      const { outcome, what } = classify(mutant);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (what) failures.push({ ...mutant, what });
    }
    return { outcomes, failures };
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** Whoever refuses a good token is set up wrongly, and all its refusals would prove nothing. */
async function askForGoodOnes(judges, settings) {
  for (const { kid } of JWKS.keys) {
    const token = written(good(kid, settings));
    for (const [name, judge] of Object.entries(judges)) {
      const [taken] = await judge([token]);
      if (!taken) throw new Error(`${name} refuses a good token of ${kid}`);
    }
  }
}

/** What the verdicts on a mutant come to, and `what` is wrong if they are not as they should be. */
export function classify({ verdicts, ways, reason }) {
  const { ours: taken, ...others } = verdicts;
  const apart = Object.keys(others).filter((name) => others[name] !== taken);
  if (!apart.length) return { outcome: taken ? "taken by all" : "refused by all" };
  const explains = (row) => row.ways.some((way) => ways.includes(way));
  if (!taken) {
    const row = STRICTER.find((known) => known.reason === reason && explains(known));
    if (row) return { outcome: `${reason}, though taken by ${apart.join(" and ")}: ${row.why}` };
    return { outcome: "not explained", what: `taken by ${apart.join(" and ")}` };
  }
  if (apart.length === Object.keys(others).length) return { outcome: "not explained", what: "taken by the Worker alone" };
  const row = MILDER.find((known) => apart.every((name) => name === known.refusedBy) && explains(known));
  if (row) return { outcome: `taken, and refused by ${row.refusedBy}: ${row.why}` };
  return { outcome: "not explained", what: `refused by ${apart.join(" and ")}` };
}
