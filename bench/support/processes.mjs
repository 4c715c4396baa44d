// The processes that a run has started: each is ended by its own id, at the latest when the run
// ends, however it ends.
const running = new Set();
const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]];
let watching = false;

/** Takes charge of a child process; gives { ended, stop() }. */
export function started(child) {
  watch();
  running.add(child);
  const ended = new Promise((resolve) => {
    child.once("error", resolve);
    child.once("close", resolve);
  });
  ended.then(() => running.delete(child));
  const stop = () => {
    child.kill("SIGKILL"); // SIGTERM would let servers wait for open connections
    return ended;
  };
  return { ended, stop };
}

/** From the first process on, not before: until then a signal belongs to the builds. */
function watch() {
  if (watching) return;
  watching = true;
  process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
  for (const [signal, code] of SIGNALS) process.once(signal, () => process.exit(code));
}
