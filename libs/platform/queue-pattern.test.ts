import { expect, test } from '@jest/globals';
import { matchesQueue } from './queue-pattern.ts';

const gpu = { environment: 'prod', pool: 'gpu' };

test.each([
  ['*', gpu, true],
  ['*.gpu', gpu, true],
  ['prod', gpu, true],
  ['prod.*', gpu, true],
  ['prod.gpu', gpu, true],
  ['prod.default', gpu, false],
  ['pro', gpu, false],
  ['dev', { environment: 'dev/pr-7', pool: 'default' }, true],
  ['dev/pr-7.default', { environment: 'dev', pool: 'default' }, false],
])('the pattern %s and the queue %j: %s', (pattern, queue, matches) => {
  expect(matchesQueue(pattern, queue)).toBe(matches);
});
