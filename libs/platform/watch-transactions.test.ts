import { expect, test } from '@jest/globals';
import { isToBeTold } from './watch-transactions.ts';

const MINUTE = 60_000;
const open = (openMs: number, pid = 7, startedAt = '2026-01-01T00:00:00Z') => ({
  ...{ pid, startedAt, openMs },
  ...{ application: 'reports', user: 'bi', state: 'idle in transaction' },
});
const told = { pid: 7, startedAt: '2026-01-01T00:00:00Z', at: 0 };

test.each([
  ['nothing is open', null, null, 0, false],
  ['it is open for some seconds', open(29_000), null, 0, false],
  ['it is open for half a minute', open(30_000), null, 0, true],
  ['it was told a moment ago', open(MINUTE), told, MINUTE, false],
  ['it was told ten minutes ago', open(11 * MINUTE), told, 10 * MINUTE, true],
  ['another one was told', open(MINUTE, 8), told, 1, true],
  ['another one of the same process was told', open(MINUTE, 7, '2026-01-01T00:05:00Z'), told, 1, true],
])('people are told of a long transaction: %s', (_, oldest, before, now, expected) => {
  expect(isToBeTold(oldest, before, now)).toBe(expected);
});
