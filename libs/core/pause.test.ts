import { expect, test } from '@jest/globals';
import { whyPaused, type RunState } from '#core';

const fires = (...counts: (RunState | 'mended')[]) =>
  counts.map((one, index) => ({
    ...{ runId: String(9 - index), counts: one === 'mended' ? ('failed' as const) : one },
    isMended: one === 'mended',
  }));

test.each([
  [3, fires('failed', 'failed'), null],
  [
    2,
    fires('failed', 'timed_out', 'success'),
    '2 scheduled runs failed in a row (8, 9); max_consecutive_failed_runs is 2',
  ],
  [2, fires('failed', 'success', 'failed'), null],
  [2, fires('success', 'failed', 'failed'), null],
  [2, fires('failed', 'mended', 'failed'), null],
  [1, fires('failed'), 'scheduled run 9 failed; max_consecutive_failed_runs is 1'],
  [1, [], null],
  [
    6,
    fires('failed', 'failed', 'failed', 'failed', 'failed', 'failed'),
    '6 scheduled runs failed in a row (4 to 9); max_consecutive_failed_runs is 6',
  ],
])('at most %i: %j', (most, ended, expected) => {
  expect(whyPaused(most, ended)).toBe(expected);
});
