// Counts against their budgets, and budgets that are renewed.
//
// counted: { group: { given, counts: { name: count } } }, or { reason } for a group that could not
// be counted. `given` is what its counts depend on but the code: where it is not the budgets', they
// are not judged. budgets: { group: { given, budgets: { name: { budget, because } } } }.

/** A count may differ from its budget by this part of it, in either direction. */
export const TOLERANCE = 0.03;

/**
 * Per group { group, rows: [{ name, count, budget, change, fault }], unjudged }; `fault` and
 * `unjudged` say why, if there is a why.
 */
export function judged(counted, budgets) {
  const groups = [...new Set([...Object.keys(counted), ...Object.keys(budgets)])];
  return groups.map((group) => judgedGroup(group, counted[group], budgets[group]));
}

function judgedGroup(group, found = { counts: {} }, { given = found.given, budgets = {} } = {}) {
  if (found.reason) return { group, rows: [], unjudged: found.reason };
  const others = Object.keys(found.given ?? {}).filter((name) => found.given[name] !== given?.[name]);
  const unjudged = others.map((name) => `${name} is ${found.given[name]}, the budgets' was ${given?.[name]}`).join("; ") || undefined;
  const names = [...new Set([...Object.keys(found.counts), ...Object.keys(budgets)])];
  const rows = names.map((name) => {
    const [count, budget] = [found.counts[name], budgets[name]?.budget];
    return { name, count, budget, change: change(count, budget), fault: unjudged ? undefined : fault(count, budget) };
  });
  return { group, rows, unjudged };
}

function change(count, budget) {
  if (count === undefined || budget === undefined) return undefined;
  return count === budget ? 0 : count / budget - 1;
}

function fault(count, budget) {
  if (budget === undefined) return "has no budget";
  if (count === undefined) return "is not counted any more";
  if (Math.abs(count - budget) <= TOLERANCE * budget) return undefined;
  return count > budget ? "above" : "below";
}

/**
 * The budgets with each that does not hold set to what was counted, because of `reason`; the
 * others, and those of groups that could not be counted, stay as they are.
 */
export function renewed(counted, budgets, reason) {
  const renewedGroup = ({ group, rows, unjudged }) => {
    const [found, old] = [counted[group], budgets[group]];
    if (!found) return undefined;
    if (found.reason) return old && [group, old];
    const kept = ({ name, fault }) => (!unjudged && !fault && old?.budgets[name]) || { budget: found.counts[name], because: reason };
    const there = rows.filter(({ count }) => count !== undefined);
    return [group, { ...(found.given && { given: found.given }), budgets: Object.fromEntries(there.map((row) => [row.name, kept(row)])) }];
  };
  return Object.fromEntries(judged(counted, budgets).map(renewedGroup).filter(Boolean));
}

/**
 * The file: a budget a line, so that a change of it shows which were renewed, and why.
 */
export function textOf(all) {
  const row = ([name, of]) => `      ${JSON.stringify(name)}: { "budget": ${of.budget}, "because": ${JSON.stringify(of.because)} }`;
  const group = ([name, { given, budgets: of }]) => {
    const first = given ? `    "given": ${JSON.stringify(given)},\n` : "";
    return `  ${JSON.stringify(name)}: {\n${first}    "budgets": {\n${Object.entries(of).map(row).join(",\n")}\n    }\n  }`;
  };
  return `{\n${Object.entries(all).map(group).join(",\n")}\n}\n`;
}
