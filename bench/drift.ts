export interface Drift {
  /** Change over the whole time that was measured, in percent of the mean. */
  readonly percent: number;
  /** What of that may be chance: its standard error, in the same unit. */
  readonly error: number;
}

/** The straight line through values that were taken at equal distances. Throws for fewer than three. */
export function driftOf(values: readonly number[]): Drift {
  const n = values.length;
  if (n < 3) throw new Error(`a drift of ${n} values`);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const middle = (n - 1) / 2;
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread;
  const rest = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0);
  const share = (100 * (n - 1)) / mean;
  return { percent: slope * share, error: Math.sqrt(rest / (n - 2) / spread) * share };
}
