/** What `inPromotionOrder` looks at. */
interface Receiving {
  readonly name: string;
  /** Environments that a release has to come from. */
  readonly from: readonly string[];
}

/** Environments in the order in which releases go through them: each after those it takes releases from, else by name. */
export function inPromotionOrder<T extends Receiving>(environments: readonly T[]): readonly T[] {
  const known = new Map(environments.map((one) => [one.name, one]));
  const depths = new Map<string, number>();
  const depthOf = (one: T): number => {
    const found = depths.get(one.name);
    if (found !== undefined) return found;
    // Until it is known: environments that name each other in a circle end here, in any order.
    depths.set(one.name, 0);
    const sources = one.from.flatMap((name) => known.get(name) ?? []);
    const depth = Math.max(0, ...sources.map((source) => depthOf(source) + 1));
    depths.set(one.name, depth);
    return depth;
  };
  const byName = [...environments].sort((a, b) => (a.name < b.name ? -1 : 1));
  // Depths first: which environment of a circle comes first must not depend on how sorting compares.
  byName.forEach(depthOf);
  return byName.sort((a, b) => depthOf(a) - depthOf(b));
}
