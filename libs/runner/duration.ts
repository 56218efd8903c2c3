const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 7 * UNITS_MS.d;

/** Milliseconds of `90s`, `1h30m` or plain seconds; null when it is nothing of that or longer than 7 days. */
export function parseDuration(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return bounded(Number(text) * 1_000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
  return bounded(total);
}

function bounded(ms: number): number | null {
  return ms <= LONGEST_MS ? Math.round(ms) : null;
}
