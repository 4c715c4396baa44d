// Medians and quartiles; the growth of a cost.

/** Linear interpolation between the two nearest. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.ceil(place);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

export const summary = (values) => ({ median: quantile(values, 0.5), q1: quantile(values, 0.25), q3: quantile(values, 0.75) });

/** The ratio of each round, summed up: what disturbed a round disturbed both its sides. */
export const ratios = (above, below) => summary(above.map((value, round) => value / below[round]));

/**
 * The exponent of y ~ x^k (a straight line on log-log paper, by least squares), and the slope of y
 * ~ a + b x.
 */
export function growth(points) {
  return {
    exponent: slope(points.map(([x, y]) => [Math.log(x), Math.log(y)])),
    perUnit: slope(points),
  };
}

function slope(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const above = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return above / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
