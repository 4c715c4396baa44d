// What a command says before it ends, and whether this Node can run it.
//
// It promises: only node: built-ins and what needs no more are imported here, so that an old Node
// comes as far as the sentence about its version.

import { plainLines } from "./plain.mjs";

// Who reads a pipe may have seen enough (`npx mcp-edge-auth check | head -1`). Nothing is said of
// it, and the command ends as it would have.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
  });
}

/** One sentence on stderr, and perhaps what another program said; exit code 1. */
export function stop(sentence) {
  console.error(plainLines(sentence));
  process.exit(1);
}

export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 3)) {
    stop(`mcp-edge-auth needs Node 20.3 or newer; this is ${process.versions.node}. See https://nodejs.org.`);
  }
}
