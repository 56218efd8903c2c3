import { expect, test } from '@jest/globals';
import { estimateStarts, type Holding, type Standing } from './estimate-starts.ts';

const slots = (amount: number, more: Readonly<Record<string, number>> = {}) =>
  new Map(Object.entries({ slots: amount, ...more }));
const held = (amount: number, leftMs: number | null): Holding => ({ amounts: slots(amount), leftMs });
const asked = (amount: number, takesMs: number | null): Standing => ({ amounts: slots(amount), takesMs });

test.each<[string, Parameters<typeof estimateStarts>, (number | null)[]]>([
  ['what fits begins at once', [slots(2), [], [asked(1, 5), asked(1, 5)]], [0, 0]],
  ['the rest as slots become free', [slots(0), [held(1, 30), held(1, 10)], [asked(1, 5), asked(1, 5)]], [10, 15]],
  [
    'a large one when enough ended, and those behind it after it',
    [slots(0), [held(1, 30), held(1, 10)], [asked(2, 7), asked(1, 1)]],
    [30, 37],
  ],
  ['what nobody knows is no estimate, nor what comes after it', [slots(0), [held(1, null)], [asked(1, 1)]], [null]],
  ['as long as it has to be known', [slots(0), [held(1, null), held(1, 4)], [asked(1, null), asked(1, 1)]], [4, null]],
  [
    'a pool that has room does not help where processors are short',
    [
      slots(5, { cpu: 1 }),
      [{ amounts: slots(1, { cpu: 3 }), leftMs: 20 }],
      [{ amounts: slots(1, { cpu: 4, gpu: 1 }), takesMs: 1 }],
    ],
    [20],
  ],
])('%s', (_what, [free, holders, line], expected) => {
  expect(estimateStarts(free, holders, line)).toEqual(expected);
});
