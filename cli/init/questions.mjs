// What `init` asks for, one answer a line, on a terminal or from a pipe.

import { createInterface } from "node:readline";

import { Misuse } from "../command.mjs";
import { plain } from "../plain.mjs";

/** Thrown where no more answers come. */
export class NoAnswer extends Error {}

/**
 * Asks on stderr and reads stdin: stdout is the command's. `ask(question, judge)` asks again as
 * long as `judge(answer)` gives faults, which are told. `end()` must be called.
 */
export function openQuestions() {
  let lines; // not before the first question: who gives all by options may have no stdin
  const refused = new Set();
  return {
    async ask(question, option, judge) {
      lines ??= createInterface({ input: process.stdin, terminal: false })[Symbol.asyncIterator]();
      for (;;) {
        process.stderr.write(`${question}: `);
        const { value, done } = await lines.next();
        if (done) {
          process.stderr.write("\n");
          if (refused.size) throw new NoAnswer();
          throw new Misuse(`There is no answer on stdin; give it with --${option}.`);
        }
        const faults = judge(value.trim());
        if (!faults.length) return value.trim();
        refused.add(option);
        for (const fault of faults) console.error(plain(`- ${fault}`));
      }
    },
    end() {
      if (lines) process.stdin.destroy();
    },
  };
}
