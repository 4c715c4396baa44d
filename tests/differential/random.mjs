// Chance that can be repeated: the same seed gives the same numbers (sfc32).

export function random(seed) {
  let [a, b, c, d] = [seed >>> 0, 0x9e3779b9, 0x243f6a88, 1];
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i += 1) next();
  /** A whole number below `end`. */
  const below = (end) => next() % end;
  return { below, of: (all) => all[below(all.length)], bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))) };
}
