import { expect, test } from '@jest/globals';
import type { Assignment, AttemptResult } from './attempt.ts';
import { onlyOwnVersions } from './own-versions.ts';

const assignment = {
  writes: [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }],
} as Partial<Assignment> as Assignment;
const published = (name: string, location: string) =>
  ({
    outcome: { kind: 'success' },
    versions: [{ name, location, version: 'v1', manifestHash: 'h', files: 1, bytes: 1 }],
  }) as Partial<AttemptResult> as AttemptResult;

test('a result with the versions that its attempt was to write counts as it is', () => {
  const result = published('raw', 'p/raw');
  expect(onlyOwnVersions(assignment, result)).toBe(result);
});

test.each([
  ['raw', 'other/raw'],
  ['raw', '../prod/raw'],
  ['other', 'p/raw'],
])(
  'a version of %s at %s, which the attempt was not to write, makes it a failure that publishes nothing',
  (name, at) => {
    expect(onlyOwnVersions(assignment, published(name, at))).toMatchObject({
      outcome: { kind: 'failed', message: expect.stringContaining(at) },
      versions: [],
    });
  },
);
