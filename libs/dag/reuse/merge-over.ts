/**
 * Maps are merged key by key, anything else of `above` replaces what is below it, and null takes it away (as in JSON Merge
 * Patch, except that a null with nothing below it stays a null).
 */
export function mergeOver(
  below: Readonly<Record<string, unknown>>,
  above: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = Object.hasOwn(below, key) ? below[key] : undefined;
    if (value === null && under !== undefined) delete merged[key];
    else merged[key] = isMap(under) && isMap(value) ? mergeOver(under, value) : value;
  }
  return merged;
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
