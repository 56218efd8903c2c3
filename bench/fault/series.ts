import type { RoundReport } from './round.ts';

/** What the rounds of a series came to. */
export interface Summary {
  readonly times: number;
  readonly seconds: number;
  readonly attempts: Readonly<Record<string, number>>;
  readonly figures: Readonly<
    Record<string, { readonly count: number; readonly median: number; readonly most: number }>
  >;
  readonly violations: readonly string[];
}

export function summarize(rounds: readonly RoundReport[]): Summary {
  const attempts: Record<string, number> = {};
  const values = new Map<string, number[]>();
  for (const round of rounds) {
    for (const [state, count] of Object.entries(round.attempts)) attempts[state] = (attempts[state] ?? 0) + count;
    for (const [name, value] of round.figures.flatMap((figures) => Object.entries(figures)))
      if (value !== null) values.set(name, [...(values.get(name) ?? []), value]);
  }
  return {
    times: rounds.reduce((sum, { times }) => sum + times, 0),
    seconds: Math.round(rounds.reduce((sum, { seconds }) => sum + seconds, 0)),
    attempts,
    figures: Object.fromEntries(
      [...values].map(([name, all]) => {
        const sorted = all.toSorted((a, b) => a - b);
        return [name, { count: sorted.length, median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 }];
      }),
    ),
    violations: rounds.flatMap(({ round, violations }) => violations.map((text) => `round ${round}: ${text}`)),
  };
}
