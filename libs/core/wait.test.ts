import { describe, expect, test } from '@jest/globals';
import { afterLook, firstCheckAt, type Look, type WaitLimit } from '#core';

const EVERY = 60;
const limit = (over: Partial<WaitLimit> = {}): WaitLimit => ({
  everyMs: EVERY,
  timeoutAt: null,
  onTimeout: 'fail',
  ...over,
});
const NOT_YET: Look = { kind: 'not-yet', detail: 'no' };

describe('after a look', () => {
  test.each<[what: string, limit: WaitLimit, look: Look, after: unknown]>([
    ['it is there', limit(), { kind: 'met', detail: 'yes' }, { kind: 'ends', outcome: 'met', reason: 'yes' }],
    [
      'it is there at the last moment',
      limit({ timeoutAt: 100 }),
      { kind: 'met', detail: 'yes' },
      { kind: 'ends', outcome: 'met', reason: 'yes' },
    ],
    ['it never can be', limit(), { kind: 'never', detail: 'bad' }, { kind: 'ends', outcome: 'failed', reason: 'bad' }],
    ['not yet', limit(), NOT_YET, { kind: 'goes-on', detail: 'no', nextCheckAt: 160 }],
    [
      'not before it may be asked again',
      limit(),
      { ...NOT_YET, notBefore: 500 },
      { kind: 'goes-on', detail: 'no', nextCheckAt: 500 },
    ],
    [
      'asked less often than allowed',
      limit(),
      { ...NOT_YET, notBefore: 110 },
      { kind: 'goes-on', detail: 'no', nextCheckAt: 160 },
    ],
    [
      'nothing changes before an instant',
      limit(),
      { ...NOT_YET, at: 9000 },
      { kind: 'goes-on', detail: 'no', nextCheckAt: 9000 },
    ],
    [
      'the time-out comes before the next look',
      limit({ timeoutAt: 120 }),
      { ...NOT_YET, notBefore: 500 },
      { kind: 'goes-on', detail: 'no', nextCheckAt: 120 },
    ],
    [
      'the time-out has come',
      limit({ timeoutAt: 100 }),
      NOT_YET,
      { kind: 'ends', outcome: 'failed', reason: 'its timeout came first; last: no' },
    ],
    [
      'the time-out has come, and skips',
      limit({ timeoutAt: 99, onTimeout: 'skip' }),
      NOT_YET,
      { kind: 'ends', outcome: 'skipped', reason: 'its timeout came first; last: no' },
    ],
  ])('%s', (_what, limits, look, after) => {
    expect(afterLook(limits, look, 100)).toEqual(after);
  });
});

test('whoever asks a person looks only when the time is over', () => {
  expect([firstCheckAt('approve', null, 7), firstCheckAt('approve', 90, 7), firstCheckAt('path', 90, 7)]).toEqual([
    null,
    90,
    7,
  ]);
});
