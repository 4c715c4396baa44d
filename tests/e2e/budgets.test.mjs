// The budgets of `npm run bench:budgets`: which counts hold, what is renewed, and that each budget
// in the repository has its reason. What is counted is counted by the command itself, at the end of
// `npm test`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { judged, renewed, textOf } from "../../bench/budgets/judge.mjs";
import { countingStrings } from "../../bench/budgets/objects.mjs";
import { bundle, ROOT } from "./support/bundle.mjs";

const GIVEN = { rustc: "1.95.0" };
const budgetsOf = (rows, given = GIVEN) => ({ size: { given, budgets: Object.fromEntries(Object.entries(rows).map(([name, budget]) => [name, { budget, because: "of old" }])) } });
const countsOf = (counts, given = GIVEN) => ({ size: { given, counts } });
const faultOf = (count, budget) => judged(countsOf({ raw: count }), budgetsOf({ raw: budget }))[0].rows[0].fault;

test("a count may differ by 3 % from its budget, up or down, and not by more", () => {
  const rows = [
    [1000, 1000, undefined], [1030, 1000, undefined], [970, 1000, undefined], [1031, 1000, "above"], [969, 1000, "below"],
    [0, 0, undefined], [1, 0, "above"], [0, 1, "below"], [2, 1, "above"],
  ];
  for (const [count, budget, wanted] of rows) assert.equal(faultOf(count, budget), wanted, `${count} against ${budget}`);
});

test("a count without a budget does not hold, nor a budget without a count", () => {
  const [{ rows }] = judged(countsOf({ raw: 1, more: 1 }), budgetsOf({ raw: 1, gone: 1 }));
  assert.deepEqual(rows.map(({ name, fault }) => [name, fault]), [["raw", undefined], ["more", "has no budget"], ["gone", "is not counted any more"]]);
  assert.deepEqual(judged(countsOf({ raw: 1 }), {})[0].rows.map(({ fault }) => fault), ["has no budget"]);
  assert.deepEqual(judged({}, budgetsOf({ raw: 1 }))[0].rows.map(({ fault }) => fault), ["is not counted any more"], "a whole group");
});

test("counts of another compiler are not judged, and it is said why", () => {
  const [{ rows, unjudged }] = judged(countsOf({ raw: 9 }, { rustc: "1.96.0" }), budgetsOf({ raw: 1 }));
  assert.equal(rows[0].fault, undefined);
  assert.equal(unjudged, "rustc is 1.96.0, the budgets' was 1.95.0");
  const [none] = judged({ size: { reason: "valgrind is not installed" } }, budgetsOf({ raw: 1 }));
  assert.deepEqual(none, { group: "size", rows: [], unjudged: "valgrind is not installed" });
});

test("what does not hold is renewed with the reason, and nothing else", () => {
  const old = budgetsOf({ raw: 1000, other: 1000, gone: 1 });
  const { budgets } = renewed(countsOf({ raw: 1100, other: 1010, more: 5 }), old, "rules came").size;
  assert.deepEqual(budgets, { raw: { budget: 1100, because: "rules came" }, other: old.size.budgets.other, more: { budget: 5, because: "rules came" } });
  const uncounted = renewed({ size: { reason: "no valgrind" } }, old, "rules came");
  assert.deepEqual(uncounted, old);
  const elsewhere = renewed(countsOf({ raw: 1000, other: 1010, gone: 1 }, { rustc: "1.96.0" }), old, "a new compiler");
  assert.deepEqual(elsewhere, { size: { given: { rustc: "1.96.0" }, budgets: Object.fromEntries([["raw", 1000], ["other", 1010], ["gone", 1]].map(([name, budget]) => [name, { budget, because: "a new compiler" }])) } });
});

test("each budget of the repository has a reason, and the file is as renewing writes it", () => {
  const text = readFileSync(join(ROOT, "bench", "budgets.json"), "utf8");
  const budgets = JSON.parse(text);
  const rows = Object.values(budgets).flatMap(({ budgets: of }) => Object.entries(of));
  assert.ok(rows.length > 20, `${rows.length} budgets`);
  for (const [name, { budget, because }] of rows) {
    assert.ok(Number.isInteger(budget) && budget >= 0, `${name}: ${budget}`);
    assert.match(because, /\S \S/, name);
  }
  const counted = Object.entries(budgets).map(([group, { given, budgets: of }]) => {
    const counts = Object.fromEntries(Object.entries(of).map(([name, { budget }]) => [name, budget]));
    return [group, { given, counts }];
  });
  assert.equal(textOf(renewed(Object.fromEntries(counted), budgets, "none")), text);
});

test("strings that cross are counted in the built Worker, or nothing is", async () => {
  const { files } = await bundle();
  const source = readFileSync(files[0].path, "utf8");
  assert.equal(countingStrings(source).split("globalThis.crossed?.(").length - 1, 2);
  assert.throws(() => countingStrings(source.replaceAll("passStringToWasm0", "passText")), /no passStringToWasm0/);
});
