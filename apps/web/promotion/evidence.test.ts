import { describe, expect, test } from '@jest/globals';
import { changeOf, metricRows, runsOf, testsOf, verifiedIn } from './evidence.ts';

test('metrics of candidate and baseline stand beside each other, by name', () => {
  expect(metricRows({ metrics: { rows: 5, auc: 0.8, bad: 'x' }, baseline: { auc: 0.7, loss: 1 } })).toEqual([
    { name: 'auc', candidate: 0.8, baseline: 0.7 },
    { name: 'loss', candidate: null, baseline: 1 },
    { name: 'rows', candidate: 5, baseline: null },
  ]);
  expect(metricRows({ metrics: null, baseline: 'none' })).toEqual([]);
});

describe('a change', () => {
  test.each([
    [0.712, 0.7, '+0.012 (+1.7 %)'],
    [90, 100, '−10 (−10 %)'],
    [350, 100, '+250 (+250 %)'],
    [1, -2, '+3 (+150 %)'],
    [3, 0, '+3'],
    [0.5, 0.5, 'the same'],
    [null, 1, ''],
    [1, null, ''],
  ])('from %p against %p is %p', (candidate, baseline, text) => {
    expect(changeOf(candidate, baseline)).toBe(text);
  });
});

test('runs and environments are those that are texts', () => {
  expect(runsOf({ runs: { p: '17', q: 3 } })).toEqual([['p', '17']]);
  expect(verifiedIn({ dev: '2026-01-01', until: '2026-01-02', runs: { p: '1' } })).toEqual([['dev', '2026-01-01']]);
});

test('tests are shown as they were recorded, or not at all', () => {
  const tests = { passed: 3, failed: 1, seconds: 1.5, actor: 'ci', at: '2026-01-01', buildUrl: null };
  expect(testsOf({ ...tests, junit: 'a' })).toEqual(tests);
  expect(testsOf({})).toBeNull();
});
