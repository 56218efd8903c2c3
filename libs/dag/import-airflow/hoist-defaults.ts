import { canonicalJson } from '../canonical-json.ts';

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const KEYS = ['retries', 'timeout', 'pool', 'slots', 'priority', 'depends_on_past', 'wait_for_downstream'] as const;

/** Takes what all tasks say alike, and the retries of most, out of them and into `defaults:`. */
export function hoistDefaults(
  tasks: Entries,
  finals: Entries,
): { readonly tasks: Entries; readonly finals: Entries; readonly defaults: Readonly<Record<string, unknown>> } {
  // What waits executes nothing, and may not say such things.
  const all = [...Object.values(tasks), ...Object.values(finals)].filter((entry) => !waits(entry));
  const [first] = all;
  const defaults: Record<string, unknown> = {};
  for (const key of KEYS) {
    const value = first?.[key];
    if (all.length > 1 && value !== undefined && all.every((each) => isSame(each[key], value))) defaults[key] = value;
  }
  const retries = all
    .map((entry) => entry.retries)
    .find((value) => 2 * all.filter((each) => isSame(each.retries, value)).length > all.length);
  if (all.length > 1 && retries !== undefined) defaults.retries = retries;
  const without = (entries: Entries): Entries =>
    Object.fromEntries(
      Object.entries(entries).map(([id, entry]) => {
        if (waits(entry)) return [id, entry];
        const own = Object.entries(entry).filter(([key, value]) => !isSame(defaults[key], value));
        // None at all has to be said where others have some.
        if (retries !== undefined && entry.retries === undefined) own.push(['retries', 0]);
        return [id, Object.fromEntries(own)];
      }),
    );
  return { tasks: without(tasks), finals: without(finals), defaults };
}

function waits(entry: Readonly<Record<string, unknown>>): boolean {
  return entry.wait !== undefined || entry.call !== undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);
}
