/** Maps with at most `lanes` at once, in order; rejects with the first failure once everything begun has ended. */
export async function inLanes<T, R>(
  lanes: number,
  items: readonly T[],
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  let failure: { readonly reason: unknown } | null = null;
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) {
      try {
        results[index] = await map(item);
      } catch (reason) {
        failure ??= { reason };
      }
      if (failure !== null) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  if (failure !== null) throw (failure as { readonly reason: unknown }).reason;
  return results;
}
