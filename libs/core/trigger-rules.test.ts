import { describe, expect, test } from '@jest/globals';
import { decideRule, TRIGGER_RULES, type RuleVerdict, type TriggerRule, type UpstreamCounts } from '#core';

type End = 'success' | 'failed' | 'skipped' | 'upstream_failed' | 'open';

function counts(ends: readonly End[]): UpstreamCounts {
  const of = (end: End): number => ends.filter((each) => each === end).length;
  return {
    total: ends.length,
    success: of('success'),
    failed: of('failed'),
    skipped: of('skipped'),
    upstreamFailed: of('upstream_failed'),
  };
}

// Two upstream tasks; S success, F failed (upstream_failed alike), K skipped, o open. Verdicts: r run, w wait, k skipped, u upstream_failed.
const TABLE: Record<
  TriggerRule,
  Record<'SS' | 'SF' | 'SK' | 'FF' | 'FK' | 'KK' | 'So' | 'Fo' | 'Ko' | 'oo', 'r' | 'w' | 'k' | 'u'>
> = {
  all_success: { SS: 'r', SF: 'u', SK: 'k', FF: 'u', FK: 'u', KK: 'k', So: 'w', Fo: 'u', Ko: 'k', oo: 'w' },
  all_failed: { SS: 'k', SF: 'k', SK: 'k', FF: 'r', FK: 'k', KK: 'k', So: 'k', Fo: 'w', Ko: 'k', oo: 'w' },
  all_done: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'r', So: 'w', Fo: 'w', Ko: 'w', oo: 'w' },
  all_done_min_one_success: {
    SS: 'r',
    SF: 'r',
    SK: 'k',
    FF: 'u',
    FK: 'k',
    KK: 'k',
    So: 'w',
    Fo: 'w',
    Ko: 'w',
    oo: 'w',
  },
  all_skipped: { SS: 'k', SF: 'k', SK: 'k', FF: 'k', FK: 'k', KK: 'r', So: 'k', Fo: 'k', Ko: 'w', oo: 'w' },
  one_success: { SS: 'r', SF: 'r', SK: 'r', FF: 'u', FK: 'u', KK: 'k', So: 'r', Fo: 'w', Ko: 'w', oo: 'w' },
  one_failed: { SS: 'k', SF: 'r', SK: 'k', FF: 'r', FK: 'r', KK: 'k', So: 'w', Fo: 'r', Ko: 'w', oo: 'w' },
  one_done: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'k', So: 'r', Fo: 'r', Ko: 'w', oo: 'w' },
  none_failed: { SS: 'r', SF: 'u', SK: 'r', FF: 'u', FK: 'u', KK: 'r', So: 'w', Fo: 'u', Ko: 'w', oo: 'w' },
  none_failed_min_one_success: {
    SS: 'r',
    SF: 'u',
    SK: 'r',
    FF: 'u',
    FK: 'u',
    KK: 'k',
    So: 'w',
    Fo: 'u',
    Ko: 'w',
    oo: 'w',
  },
  none_skipped: { SS: 'r', SF: 'r', SK: 'k', FF: 'r', FK: 'k', KK: 'k', So: 'w', Fo: 'w', Ko: 'k', oo: 'w' },
  always: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'r', So: 'r', Fo: 'r', Ko: 'r', oo: 'r' },
};
const ENDS = { S: ['success'], F: ['failed', 'upstream_failed'], K: ['skipped'], o: ['open'] } as const;
const VERDICTS: Record<string, RuleVerdict> = { r: 'run', w: 'wait', k: 'skipped', u: 'upstream_failed' };

describe.each(TRIGGER_RULES)('%s', (rule) => {
  test.each(Object.entries(TABLE[rule]))('upstream %s', (pair, expected) => {
    const [first, second] = [...pair] as (keyof typeof ENDS)[];
    for (const a of ENDS[first as keyof typeof ENDS])
      for (const b of ENDS[second as keyof typeof ENDS]) {
        expect(decideRule(rule, counts([a, b]))).toBe(VERDICTS[expected]);
        expect(decideRule(rule, counts([b, a]))).toBe(VERDICTS[expected]);
      }
  });
});

test('a task without upstream tasks runs at once under the rules that make sense for it', () => {
  for (const rule of [
    'all_success',
    'all_done',
    'none_failed',
    'none_failed_min_one_success',
    'one_success',
    'none_skipped',
    'always',
  ] as const)
    expect(decideRule(rule, counts([]))).toBe('run');
});
