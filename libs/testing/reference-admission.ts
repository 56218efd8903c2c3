/*
 * Who gets slots and resources, said once more by what everybody in line stands for rather than by running totals: slow,
 * and compared with what admission in SQL does.
 */

/** Somebody who is ready, in the order of the line. */
export interface InLine {
  readonly id: string;
  readonly pool: string;
  readonly slots: number;
  /** By what has it. */
  readonly asks: ReadonlyMap<string, number>;
  /** It wants all of this so many times at once. */
  readonly replicas: { readonly min: number; readonly max: number };
}

/** `size` of each thing, and what of it is in use. */
export type Stock = ReadonlyMap<string, { readonly size: number; readonly used: number }>;

interface Standing {
  readonly how: 'admitted' | 'never' | 'waits for its pool' | 'is next for resources' | 'is behind';
  /** How many times it has, or keeps for itself, what it asks for. */
  readonly times: number;
}

/** How everybody stands, in the order of the line. A thing that is in no stock is not limited; a pool always is. */
export function standings(line: readonly InLine[], pools: Stock, resources: Stock): Map<string, Standing> {
  const standing = new Map<string, Standing>();
  const before = (one: InLine, ...wanted: readonly Standing['how'][]): InLine[] =>
    line.slice(0, line.indexOf(one)).filter(({ id }) => wanted.includes(standing.get(id)!.how));
  const roomOf = (one: InLine, thing: string, stock: Stock, amountOf: (other: InLine) => number): number => {
    const { size, used } = stock.get(thing)!;
    const kept = before(one, 'admitted', 'is next for resources').reduce(
      (sum, other) => sum + amountOf(other) * standing.get(other.id)!.times,
      0,
    );
    return size - used - kept;
  };
  const slotsLeft = (one: InLine): number =>
    before(one, 'waits for its pool').some(({ pool }) => pool === one.pool)
      ? 0
      : roomOf(one, one.pool, pools, (other) => (other.pool === one.pool ? other.slots : 0));
  const lacking = (one: InLine, times = one.replicas.min): string[] =>
    [...one.asks]
      .filter(([thing]) => resources.has(thing))
      .filter(
        ([thing, amount]) => amount * times > roomOf(one, thing, resources, (other) => other.asks.get(thing) ?? 0),
      )
      .map(([thing]) => thing);
  const judge = (one: InLine): Standing => {
    const { min, max } = one.replicas;
    if (one.slots * min > (pools.get(one.pool)?.size ?? -1)) return { how: 'never', times: 0 };
    if ([...one.asks].some(([thing, amount]) => amount * min > (resources.get(thing)?.size ?? Infinity)))
      return { how: 'never', times: 0 };
    if (one.slots * min > slotsLeft(one)) return { how: 'waits for its pool', times: 0 };
    const wanted = new Set(before(one, 'is next for resources').flatMap((other) => lacking(other)));
    if ([...one.asks.keys()].some((thing) => wanted.has(thing))) return { how: 'is behind', times: 0 };
    if (lacking(one).length > 0) return { how: 'is next for resources', times: min };
    let times = min;
    while (times < max && one.slots * (times + 1) <= slotsLeft(one) && lacking(one, times + 1).length === 0) times++;
    return { how: 'admitted', times };
  };
  for (const one of line) standing.set(one.id, judge(one));
  return standing;
}
