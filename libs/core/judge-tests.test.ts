import { expect, test } from '@jest/globals';
import { judgeTests } from './judge-tests.ts';

const AT = '2026-11-28T06:00:00.000Z';
const recorded = (passed: number, failed: number) => ({
  ...{ passed, failed, seconds: 1.5, junit: 'a'.repeat(64), buildUrl: null, actor: 'ci', at: AT },
});

test.each([
  [recorded(3, 0), 'inconclusive', 'passed', `3 tests passed, recorded by ci at ${AT}.`],
  [recorded(1, 0), 'fail', 'passed', `1 test passed, recorded by ci at ${AT}.`],
  [recorded(3, 1), 'inconclusive', 'failed', `1 of 4 tests failed, recorded by ci at ${AT}.`],
  [recorded(0, 1), 'fail', 'failed', `1 of 1 test failed, recorded by ci at ${AT}.`],
  [recorded(0, 0), 'inconclusive', 'inconclusive', 'The release has no tests. A person has to decide.'],
  [recorded(0, 0), 'fail', 'failed', 'The release has no tests.'],
  [null, 'inconclusive', 'inconclusive', 'No tests are recorded with the release. A person has to decide.'],
  [null, 'fail', 'failed', 'No tests are recorded with the release.'],
] as const)('%j with on_missing %s: %s', (tests, onMissing, state, detail) => {
  expect(judgeTests(tests, { kind: 'tests', onMissing })).toEqual({ state, detail, evidence: tests ?? {} });
});
