// `node scripts/suite.mjs FILE ...`: runs these test files, as many at a time as there are
// processors, and reports on them in their order.
//
// It promises: the exit code is non-zero if any test fails, or a file cannot be run. `node --test`
// does the same with one processor left idle, which of two is half the machine, and Node 20 has no
// option for that.

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const files = process.argv.slice(2).map((file) => resolve(file));
run({ files, concurrency: availableParallelism() })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
