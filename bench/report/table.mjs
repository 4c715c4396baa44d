// The tables of a run: rows of text, to be aligned for a terminal or marked for a document.
import { growth } from "../support/stats.mjs";
import { compared, nameOf, referenceFor, summed, values } from "./compare.mjs";

const range = ({ median, q1, q3 }, digits) => `${median.toFixed(digits)} (${q1.toFixed(digits)}-${q3.toFixed(digits)})`;

/** { head, rows, notes } of one work. */
export function tableOf(result) {
  const fixedRate = result.rate !== undefined;
  const [first, second] = fixedRate ? ["p50", "p99"] : ["cpu", "perSecond"];
  const rows = result.cells.map((cell) => {
    const reference = referenceFor(result, cell);
    return [
      nameOf(cell),
      range(summed(cell, first), fixedRate ? 2 : 0),
      ...(fixedRate ? [] : [Math.min(...values(cell, first)).toFixed(0)]),
      range(compared(cell, reference, first), 2),
      fixedRate ? range(summed(cell, second), 2) : summed(cell, second).median.toFixed(0),
      fixedRate ? range(compared(cell, reference, second), 2) : compared(cell, reference, second).median.toFixed(2),
    ];
  });
  const names = new Set(result.cells.map((cell) => referenceFor(result, cell).side));
  const to = result.against === "first" ? ": its first" : `: ${[...names].join(", ")}`;
  const head = fixedRate ? ["", "p50 ms", to, "p99 ms", to] : ["", "CPU us/request", "least", to, "requests/s", to];
  return { head, rows, notes: [...(fixedRate ? [`${result.rate} requests/s, latency from the moment a request was due`] : []), ...growthNotes(result)] };
}

function growthNotes({ cells, unit, name }) {
  const sides = [...new Set(cells.filter(({ size }) => size !== undefined).map(({ side }) => side))];
  return sides.map((side) => {
    const points = cells.filter((cell) => cell.side === side).map((cell) => [cell.size, summed(cell, "cpu").median]);
    if (points.length < 2) return undefined;
    const { exponent, perUnit } = growth(points);
    return `${side}: CPU grows as ${name}^${exponent.toFixed(3)}, ${perUnit.toFixed(2)} us per ${unit ?? "one more"}`;
  }).filter(Boolean);
}

export function textOf(result) {
  if (!result.cells.length) return `${result.title}: nothing was timed.\n`;
  const { head, rows, notes } = tableOf(result);
  return `${[result.title, aligned([head, ...rows]), ...notes].join("\n")}\n`;
}

export function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((text, i) => (i ? text.padStart(widths[i] + 2) : text.padEnd(widths[i]))).join("")).join("\n");
}
