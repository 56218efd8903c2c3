import { describe, expect, test } from '@jest/globals';
import { claimRequest, queuePattern, releaseObjectKey, reportRequest } from './worker-shapes.ts';

const proof = { worker: `worker-${'0'.repeat(36)}`, key: 'k'.repeat(43) };
const result = {
  ...{ attemptId: '7', runId: '3', fence: 1, outcome: { kind: 'success' }, startedAt: 1, finishedAt: 2 },
  ...{ outputs: { rows: 12 }, metrics: [], summary: null, versions: [], logLines: 4 },
};
const report = (over: object) => reportRequest.safeParse({ ...proof, results: [{ ...result, ...over }], progress: [] });

describe('what a worker says', () => {
  test('is taken when it is a result', () => {
    expect(report({}).success).toBe(true);
    expect(report({ checks: [] }).success).toBe(true);
  });

  test.each([
    ['an id that is none', { attemptId: '7; drop table run' }],
    ['an outcome that there is not', { outcome: { kind: 'promoted' } }],
    ['more than belongs there', { environment: 'prod' }],
    ['a time that is none', { startedAt: Number.NaN }],
    [
      'a hash that is none',
      { versions: [{ name: 'a', location: 'a', version: 'v', manifestHash: 'x', files: 1, bytes: 1 }] },
    ],
  ])('is refused for %s', (_, over) => {
    expect(report(over).success).toBe(false);
  });

  test('names at most a hundred attempts, and keys of the release store only', () => {
    const attempts = Array.from({ length: 101 }, (_, index) => String(index + 1));
    expect(claimRequest.safeParse({ ...proof, attempts }).success).toBe(false);
    for (const key of ['releases/../../token', 'blobs/ab/../../x', `unpacked/${'a'.repeat(64)}`, '/etc/passwd'])
      expect(releaseObjectKey.safeParse(key).success).toBe(false);
    expect(releaseObjectKey.safeParse(`blobs/ab/${'a'.repeat(64)}`).success).toBe(true);
  });

  test.each(['*', 'prod', 'prod.*', '*.gpu', 'dev/pr-7.default'])('%s is a pattern of queues', (pattern) => {
    expect(queuePattern.safeParse(pattern).success).toBe(true);
  });
});
