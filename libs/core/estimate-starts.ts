/** What something takes, by the name of what has it. */
export type Amounts = ReadonlyMap<string, number>;

export interface Holding {
  readonly amounts: Amounts;
  /** Milliseconds until it should end; null: nobody knows. */
  readonly leftMs: number | null;
}

export interface Standing {
  readonly amounts: Amounts;
  /** Milliseconds that it should take once it has begun; null: nobody knows. */
  readonly takesMs: number | null;
}

/**
 * In how many milliseconds each of a line should begin, one after the other as what they need becomes free; null where
 * that depends on something of which nobody knows how long it takes. What is not in `free` is not limited.
 */
export function estimateStarts(
  free: Amounts,
  holders: readonly Holding[],
  line: readonly Standing[],
): (number | null)[] {
  const left = new Map(free);
  const ends = holders.flatMap(({ amounts, leftMs }) => (leftMs === null ? [] : [{ at: leftMs, amounts }]));
  const give = (amounts: Amounts, sign: 1 | -1): void => {
    for (const [name, amount] of amounts) if (left.has(name)) left.set(name, (left.get(name) ?? 0) + sign * amount);
  };
  let now = 0;
  return line.map(({ amounts, takesMs }) => {
    const fits = (): boolean => [...amounts].every(([name, amount]) => amount <= (left.get(name) ?? Infinity));
    ends.sort((a, b) => b.at - a.at);
    while (!fits()) {
      const next = ends.pop();
      if (next === undefined) return null;
      now = Math.max(now, next.at);
      give(next.amounts, 1);
    }
    give(amounts, -1);
    if (takesMs !== null) ends.push({ at: now + takesMs, amounts });
    return now;
  });
}
