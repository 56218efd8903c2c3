import { expect, test } from '@jest/globals';
import { driftOf } from './drift.ts';

test('the drift is the change of a straight line over all values, in percent of their mean', () => {
  expect(driftOf([90, 95, 100, 105, 110])).toEqual({ percent: 20, error: 0 });
  expect(driftOf([5, 5, 5])).toEqual({ percent: 0, error: 0 });
});

test('values that jump drift with an error', () => {
  const { percent, error } = driftOf([100, 120, 80, 120, 80, 100]);
  expect(Math.abs(percent)).toBeLessThan(error);
  expect(error).toBeCloseTo(23.21);
});

test('of two values nothing can be said', () => {
  expect(() => driftOf([1, 2])).toThrow('a drift of 2 values');
});
