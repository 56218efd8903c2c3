import { expect, test } from '@jest/globals';
import { toggled } from './use-selection.ts';

const IDS = ['9', '8', '7', '6'];

test.each([
  ['one', ['9'], '7', null, ['9', '7']],
  ['one that was chosen', ['9', '7'], '7', null, ['9']],
  ['a range downwards', ['9'], '7', '9', ['9', '8', '7']],
  ['a range upwards', ['6'], '8', '6', ['6', '8', '7']],
  ['a range away', ['9', '8', '7', '6'], '8', '6', ['9']],
  ['from one that is gone', ['9'], '7', '1', ['9', '7']],
] as const)('%s', (_what, chosen, id, from, expected) => {
  expect([...toggled(IDS, new Set(chosen), id, from)]).toEqual(expected);
});
