// CPU time of processes by the operating system's own accounting: user and system time of all
// threads.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const LINUX = existsSync("/proc/self/stat");
const TICKS_PER_SECOND = LINUX ? Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })) : 0;

/** Seconds that the processes have used so far, together. */
export const cpuSeconds = (pids) => pids.reduce((sum, pid) => sum + (LINUX ? fromStat(pid) : fromPs(pid)), 0);

function fromStat(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name before it may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** `[[dd-]hh:]mm:ss[.cc]` */
function fromPs(pid) {
  const text = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }).trim();
  const [clock, days = "0"] = text.split("-").reverse();
  return clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
}
