import { expect, test } from '@jest/globals';
import { diffRuns, type RunSide, type TaskSide } from './diff-runs.ts';

const version = (link: string | null, manifestHash: string) => ({
  link,
  location: 'l',
  version: `v${manifestHash}`,
  manifestHash,
});
const aTask = (taskId: string, more: Partial<TaskSide> = {}): TaskSide => ({
  ...{
    taskId,
    mapIndex: 0,
    mapKey: '',
    state: 'success',
    tries: 1,
    durationMs: 5,
    inputs: [],
    outputs: [],
    metrics: {},
  },
  ...more,
});
const aSide = (tasks: readonly TaskSide[], more: Partial<RunSide> = {}): RunSide => ({
  ...{ facts: { release: 'r1' }, params: {}, pipeline: null, durationMs: 10, tasks },
  ...more,
});

test('the same run differs in nothing, however long it took', () => {
  const side = aSide([aTask('a')]);
  const diff = diffRuns(side, aSide([aTask('a', { durationMs: 9 })]));
  expect(diff).toMatchObject({ same: true, complete: true, facts: [], outputs: [] });
  expect(diff.timing).toEqual([
    {
      taskId: 'a',
      mapKey: '',
      before: { state: 'success', tries: 1, durationMs: 5 },
      after: { state: 'success', tries: 1, durationMs: 9 },
    },
  ]);
});

test('facts and parameters are compared field by field, hostile names included', () => {
  const before = aSide([], { params: { rate: 1, only: true, deep: { a: [1] } } });
  const after = aSide([], {
    facts: { release: 'r2' },
    params: JSON.parse('{"rate":2,"deep":{"a":[1]},"__proto__":7}'),
  });
  const { facts, params, same } = diffRuns(before, after);
  expect(same).toBe(false);
  expect(facts).toEqual([{ field: 'release', before: 'r1', after: 'r2' }]);
  expect(params).toEqual([
    { field: '__proto__', after: 7 },
    { field: 'only', before: true },
    { field: 'rate', before: 1, after: 2 },
  ]);
});

test('inputs differ by content, not by where they lie; a window by its partitions', () => {
  const inputs = (...versions: ReturnType<typeof version>[]) => [{ name: 'raw', variable: 'PATH_RAW', versions }];
  const before = aSide([aTask('a', { inputs: inputs(version('d1', '1'), version('d2', '2')) })]);
  const after = aSide([
    aTask('a', { inputs: inputs({ ...version('d2', '2'), location: 'other' }, version('d3', '3')) }),
    aTask('a', { mapIndex: 1, mapKey: 'k', inputs: inputs(version('d9', '9')) }),
  ]);
  expect(diffRuns(before, after).inputs.map(({ part, before: b, after: a }) => [part, b?.version, a?.version])).toEqual(
    [
      ['d1', 'v1', undefined],
      ['d3', undefined, 'v3'],
    ],
  );
});

test('files and metrics are compared by task and map key; what is gone is said to be', () => {
  const outputs = (sha256: string) => [{ name: 'out', files: [{ path: 'x', bytes: 1, sha256 }] }];
  const before = aSide([
    aTask('fit', { mapKey: 'lr=1', outputs: outputs('1'), metrics: { auc: 0.7 } }),
    aTask('fit', { mapIndex: 1, mapKey: 'lr=2', outputs: outputs('2'), metrics: { auc: 0.8, n: 1 } }),
    aTask('old', { outputs: [{ name: 'out', files: null }] }),
  ]);
  const after = aSide([
    aTask('fit', { mapKey: 'lr=2', outputs: outputs('2'), metrics: { auc: 0.8 } }),
    aTask('fit', { mapIndex: 1, mapKey: 'lr=3', outputs: outputs('3'), metrics: { auc: 0.9 } }),
    aTask('old', { outputs: outputs('4') }),
  ]);
  const diff = diffRuns(before, after);
  expect(diff.outputs.map(({ mapKey, change }) => `${mapKey} ${change}`).sort()).toEqual([
    'lr=1 removed',
    'lr=3 added',
  ]);
  expect(diff.gone).toEqual(['old.out']);
  expect(diff.metrics.map(({ mapKey, name, before: b, after: a }) => [mapKey, name, b, a])).toEqual(
    expect.arrayContaining([
      ['lr=1', 'auc', 0.7, null],
      ['lr=2', 'n', 1, null],
      ['lr=3', 'auc', null, 0.9],
    ]),
  );
});

test('long lists are cut off and say so', () => {
  const metrics = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`m${n}`, n]));
  const diff = diffRuns(aSide([aTask('a')]), aSide([aTask('a', { metrics })]));
  expect([diff.metrics.length, diff.complete]).toEqual([1000, false]);
});
