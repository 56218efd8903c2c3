import { describe, expect, test } from '@jest/globals';
import { datasetsOf, followsEnd, spanOf, startingVersions, type DatasetExpression, type Unseen } from './triggers.ts';

const a: DatasetExpression = { pipeline: 'p', path: 'a' };
const b: DatasetExpression = { pipeline: 'p', path: 'b' };
const c: DatasetExpression = { pipeline: 'q', path: 'c' };

/** `a10`: path a has had a new version at minute 10. */
function unseen(...versions: string[]): Unseen[] {
  return versions.map((text, index) => ({
    id: String(index),
    source: text.startsWith('c') ? 'q' : 'p',
    path: text.charAt(0),
    runId: String(index),
    state: 'success',
    intervalStart: null,
    intervalEnd: null,
    depth: 0,
    at: minute(Number(text.slice(1))),
  }));
}

function minute(count: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString();
}

describe('new versions start a run', () => {
  test.each<[DatasetExpression, string[], string[] | null]>([
    [a, ['a1'], ['a1']],
    [a, ['b1'], null],
    [a, [], null],
    [{ all: [a, b] }, ['a1'], null],
    [{ all: [a, b] }, ['a1', 'a2', 'b3'], ['a1', 'a2', 'b3']],
    [{ any: [a, b] }, ['b1'], ['b1']],
    [{ all: [a, { any: [b, c] }] }, ['a1', 'c2'], ['a1', 'c2']],
    [{ all: [a, { any: [b, c] }] }, ['b1', 'c2'], null],
    [{ any: [{ all: [a, b] }, c] }, ['a1', 'c2'], ['a1', 'c2']],
  ])('%j of %j: %j', (expression, versions, started) => {
    const trigger = { expression, windowMs: null, freshnessMs: null };
    const found = startingVersions(trigger, unseen(...versions), new Map());
    expect(found?.map(({ id }) => versions[Number(id)]) ?? null).toEqual(started);
  });

  test.each<[string[], number, string[] | null]>([
    [['a0', 'b10'], 10, ['a0', 'b10']],
    [['a0', 'b11'], 10, null],
    [['a0', 'b11', 'a20'], 10, ['b11', 'a20']],
  ])('all of %j within %d minutes: %j', (versions, minutes, started) => {
    const trigger = { expression: { all: [a, b] }, windowMs: minutes * 60_000, freshnessMs: null };
    const found = startingVersions(trigger, unseen(...versions), new Map());
    expect(found?.map(({ id }) => versions[Number(id)]) ?? null).toEqual(started);
  });

  test.each<[Record<string, number>, boolean]>([
    [{ 'p.a': 60, 'p.b': 55 }, true],
    [{ 'p.a': 60, 'p.b': 49 }, false],
    [{ 'p.a': 60 }, false],
  ])('any of a and b, none older than 10 minutes, last published at %j: %s', (published, starts) => {
    const trigger = { expression: { any: [a, b] }, windowMs: null, freshnessMs: 600_000 };
    const newest = new Map(Object.entries(published).map(([name, at]) => [name, minute(at)]));
    expect(startingVersions(trigger, unseen('a60'), newest) !== null).toBe(starts);
  });
});

test('datasets of an expression are each named once', () => {
  expect(datasetsOf({ all: [a, { any: [a, c] }] })).toEqual([a, c]);
});

test.each([
  ['success', 'success', true],
  ['success', 'failed', false],
  ['failed', 'timed_out', true],
  ['failed', 'cancelled', false],
  ['any', 'cancelled', true],
  ['any', 'skipped', false],
] as const)('after (%s), a run that ended %s: %s', (on, state, follows) => {
  expect(followsEnd([{ pipeline: 'p', on }], 'p', state)).toBe(follows);
  expect(followsEnd([{ pipeline: 'p', on }], 'q', state)).toBe(false);
});

test('intervals span from the first start to the last end; those without one do not count', () => {
  const interval = (start: number | null, end: number | null) => ({
    intervalStart: start === null ? null : minute(start),
    intervalEnd: end === null ? null : minute(end),
  });
  expect(spanOf([interval(3, 4), interval(1, 2), interval(null, null)])).toEqual({ start: minute(1), end: minute(4) });
  expect(spanOf([interval(null, null)])).toBeNull();
});
