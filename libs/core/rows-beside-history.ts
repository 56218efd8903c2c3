/**
 * Null when a number of rows lies within that share of the mean of earlier ones, or when there are none to compare with;
 * else what is wrong, in one sentence.
 */
export function rowsBesideHistory(rows: number, earlier: readonly number[], within: number): string | null {
  if (earlier.length === 0) return null;
  const mean = earlier.reduce((sum, one) => sum + one, 0) / earlier.length;
  const [least, most] = [Math.ceil(mean * (1 - within)), Math.floor(mean * (1 + within))];
  if (rows >= least && rows <= most) return null;
  const runs = earlier.length === 1 ? 'the last run had' : `the last ${earlier.length} runs had a mean of`;
  return `${rows} rows; ${runs} ${Math.round(mean)}, so ${least} to ${most} are expected`;
}
