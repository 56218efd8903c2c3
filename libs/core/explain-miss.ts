/** More names than this are counted only. */
const MOST_NAMES = 5;

/** What a task run saw that an earlier one did not, or saw differently: names of parts, in order. */
export function differingParts(
  now: Readonly<Record<string, string>>,
  then: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(then)])].filter((name) => now[name] !== then[name]).sort();
}

/** `param rate, file a.ts and 3 more`. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/** Paths whose digests differ, or that only one of the two has. */
export function differingFiles(now: ReadonlyMap<string, string>, then: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...now.keys(), ...then.keys()])].filter((path) => now.get(path) !== then.get(path)).sort();
}
