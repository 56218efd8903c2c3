import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { RunRecord, RunState, Schedule } from '#core';
import { planInterval, type BackfillFacts } from './plan-interval.ts';

const interval = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-01-02T00:00:00Z') };
const run = (id: string, state: RunState, release = 'r2') =>
  ({ id, state, release, intervalStart: interval.start.toISOString() }) as RunRecord;
const daily = {
  ...{ kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', start: null, end: null, catchup: { kind: 'none' } },
  ...{ gap: 'next', fold: 'first' },
} as const satisfies Schedule;
const facts = (change: Partial<BackfillFacts>): BackfillFacts => ({
  schedule: daily,
  existing: [],
  reprocess: 'missing',
  release: 'r2',
  otherInputs: new Map(),
  now: new Date('2026-01-05T00:00:00Z'),
  ...change,
});

const NONE: readonly RunRecord[] = [];
const MADE = [run('7', 'success')];
const OLDER = [run('7', 'success', 'r1')];
const FAILED = [run('6', 'success'), run('7', 'failed')];

describe('which intervals get a run', () => {
  test.each([
    // reprocess, runs of the interval, action: reason
    ['missing', NONE, 'create: missing'],
    ['missing', [run('7', 'skipped')], 'create: missing'],
    ['missing', FAILED, 'skip: exists as run 7 (failed)'],
    ['missing', OLDER, 'skip: exists as run 7 (success)'],
    ['missing', [run('7', 'running')], 'skip: in flight as run 7'],
    ['failed', NONE, 'create: missing'],
    ['failed', FAILED, 'create: failed: run 7 ended failed'],
    ['failed', [run('7', 'cancelled')], 'create: failed: run 7 ended cancelled'],
    ['failed', OLDER, 'skip: exists as run 7 (success)'],
    ['failed', [{ ...run('7', 'failed'), markedAs: 'success' }], 'skip: exists as run 7 (marked success)'],
    ['failed', [{ ...run('7', 'success'), markedAs: 'failed' }], 'create: failed: run 7 is marked failed'],
    ['stale', FAILED, 'create: failed: run 7 ended failed'],
    ['stale', MADE, 'skip: exists as run 7 (success)'],
    ['stale', OLDER, 'create: stale: run 7 was made by another release, r1'],
    ['all', MADE, 'create: exists as run 7 (success); reprocess is all'],
    ['all', [run('7', 'queued')], 'skip: in flight as run 7'],
  ] as const)('%s, %j', (reprocess, existing, expected) => {
    const { action, reason } = planInterval(interval, facts({ reprocess, existing }));
    expect(`${action}: ${reason}`).toBe(expected);
  });

  test('docs/acting.md gives these reasons', () => {
    const page = readFileSync(new URL('../../../docs/acting.md', import.meta.url), 'utf8');
    const reason = (change: Partial<BackfillFacts>): string => planInterval(interval, facts(change)).reason;
    for (const shown of [
      `\`missing\` (default) | an interval without a run | \`${reason({})}\``,
      reason({ reprocess: 'failed', existing: FAILED }),
      reason({ reprocess: 'stale', existing: OLDER }),
      reason({ reprocess: 'all', existing: MADE }),
      `Left out are \`${reason({ existing: [run('7', 'running')] })}\`, \`${reason({ existing: MADE })}\``,
      reason({ now: interval.start }),
    ])
      expect(page).toContain(shown);
  });

  test('what read another version than the published one is stale', () => {
    const otherInputs = new Map([['7', 'p/raw/ds=2026-01-01']]);
    const { reason } = planInterval(interval, facts({ reprocess: 'stale', existing: MADE, otherInputs }));
    expect(reason).toBe('stale: run 7 read another version of p/raw/ds=2026-01-01');
  });

  test('an interval that has not ended has no run to make', () => {
    const { action, reason } = planInterval(interval, facts({ now: new Date('2026-01-01T12:00:00Z') }));
    expect([action, reason]).toEqual(['skip', 'its interval has not ended yet']);
    const begun = facts({ now: interval.start, schedule: { ...daily, run: 'at_start' } });
    expect(planInterval(interval, begun).reason).toBe('missing');
    const before = new Date(interval.start.getTime() - 1);
    expect(planInterval(interval, { ...begun, now: before }).reason).toBe('its interval has not begun yet');
  });
});
