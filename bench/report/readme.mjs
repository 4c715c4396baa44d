// The figures of README, as the results of a whole run have them.
import { compared } from "./compare.mjs";

const ALGORITHMS = ["RS256", "ES256", "EdDSA", "PS256"];
const SIDES = [
  ["no authentication at all", "base"],
  ["mcp-edge-auth, a token verified and the request forwarded", "ours"],
  ["JavaScript without a library, with the same checks", "by-hand"],
  ["JavaScript without a library, with fewer checks", "by-hand-lean"],
];
const REFUSALS = ["expired", "audience", "garbage"];

const TABLE = /^From \[one run\][^\n]*\n\n(?:\|[^\n]*\n)+/m;
const SERVED = /It served [\d.]+ times/;

/** README with the figures of this run in place of those that it has. */
export function withFigures(readme, { machine, results }) {
  if (!TABLE.test(readme) || !SERVED.test(readme)) throw new Error("README has no table of figures where one was expected.");
  const cell = (work, side, label) => {
    const found = results.find(({ name }) => name === work)?.cells.find((one) => one.side === side && (label === undefined || one.label === label));
    if (!found) throw new Error(`The run has no ${[side, label].filter(Boolean).join(" ")} in the work ${work}, of which README has a figure.`);
    return found;
  };
  const ratio = (work, side, label) => compared(cell(work, side, label), cell(work, "jose", label), "cpu").median.toFixed(2);
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const sides = SIDES.map(([name, side]) => row([name, ...ALGORITHMS.map((work) => ratio(work, side))]));
  const refused = REFUSALS.map((label) => ratio("refused", "ours", label)).join(", ");
  const table = [
    `From [one run](bench/results/results.md) of \`npm run bench\`, ${machine.date.slice(0, 10)}, commit ${machine.commit}.`,
    "",
    row(["", ...ALGORITHMS]).replace("|  |", "| |"),
    "|---|---|---|---|---|",
    ...sides,
    `| mcp-edge-auth, a token refused (expired, another audience, garbage) | ${refused} | | | |`,
    "",
  ].join("\n");
  const times = compared(cell("servers", "ours"), cell("servers", "arcade"), "perSecond").median.toFixed(0);
  return readme.replace(TABLE, table).replace(SERVED, `It served ${times} times`);
}
