// Which wrangler takes which Node.

/** As `sort` wants it: the older one first. Only releases have a place. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/** The last of these { version, takes } that takes this Node: `takes` is `>=22.12.0` or alike. */
export function newestFor(node, wranglers) {
  const takesIt = ({ version, takes }) => {
    const least = /^>=\s*(\d+(?:\.\d+){0,2})$/.exec(takes ?? "")?.[1];
    return /^\d+\.\d+\.\d+$/.test(version) && least && compareVersions(node, `${least}.0.0`) >= 0;
  };
  return wranglers.findLast(takesIt)?.version;
}
