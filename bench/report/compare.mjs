// What tables, picture and goals read out of the samples.
import { ratios, summary } from "../support/stats.mjs";

const REFERENCES = ["jose", "jose-answer"];

export const values = (cell, name) => cell.samples.map((sample) => sample[name]);
export const summed = (cell, name) => summary(values(cell, name));
export const compared = (cell, reference, name) => ratios(values(cell, name), values(reference, name));
export const nameOf = ({ side, label }) => [side, label].filter(Boolean).join(" ");

/** The cell that a cell's ratios are taken to. */
export function referenceFor({ cells, against }, cell) {
  if (against === "first") return cells.find(({ side }) => side === cell.side);
  const same = cells.filter(({ label }) => label === cell.label);
  return [against, ...REFERENCES].map((name) => same.find(({ side }) => side === name)).find(Boolean) ?? same[0];
}
