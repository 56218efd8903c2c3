import { expect, test } from '@jest/globals';
import { edgePath } from './edge-path.ts';

test('an edge is drawn through its points with rounded corners', () => {
  expect(
    edgePath([
      { x: 0, y: 0 },
      { x: 50, y: 0 },
      { x: 50, y: 100 },
    ]),
  ).toBe('M0 0 L42 0 Q50 0 50 8 L50 100');
});

test('a corner near its neighbours is rounded less, coinciding points do no harm', () => {
  expect(
    edgePath([
      { x: 0, y: 0 },
      { x: 4, y: 0 },
      { x: 4, y: 0 },
      { x: 4, y: 9 },
    ]),
  ).not.toContain('NaN');
  expect(edgePath([])).toBe('');
});
