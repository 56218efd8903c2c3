import { describe, expect, test } from '@jest/globals';
import type { CompiledPipeline } from '#core';
import { parsePipeline } from './index.ts';

function compile(...lines: string[]): CompiledPipeline {
  const { pipeline, problems } = parsePipeline('p.yaml', ['name: p', ...lines].join('\n'));
  expect(problems).toEqual([]);
  return pipeline!;
}

function problemsOf(...lines: string[]): string[] {
  const { problems } = parsePipeline('p.yaml', ['name: p', ...lines].join('\n'));
  return problems.map(({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`);
}

function links({ tasks }: CompiledPipeline): Record<string, readonly string[]> {
  return Object.fromEntries(tasks.map(({ id, upstream }) => [id, upstream]));
}

describe('a group', () => {
  test('is needed by its last tasks, and its first ones need what it needs', () => {
    const pipeline = compile(
      'groups: { load: { needs: start }, clean: { needs: [load, o*] } }',
      'tasks:',
      '  start: { run: "true" }',
      '  other: { run: "true" }',
      '  a: { run: "true", group: load }',
      '  b: { run: "true", group: load, needs: a }',
      '  c: { run: "true", group: load, needs: other }',
      '  d: { run: "true", group: clean }',
      '  end: { run: "true", needs: clean }',
    );
    expect(links(pipeline)).toEqual({
      ...{ start: [], other: [], a: ['start'], b: ['a'], c: ['other', 'start'], d: ['b', 'c', 'other'], end: ['d'] },
    });
    expect(pipeline.groups).toMatchObject({
      load: { upstream: ['start'], matrix: null },
      clean: { upstream: ['b', 'c', 'other'] },
    });
    expect(pipeline.tasks.map(({ id, group, matrix }) => [id, group, matrix])).toContainEqual(['a', 'load', null]);
  });

  test('with a matrix fans out each of its tasks, whose expressions know it', () => {
    const pipeline = compile(
      'paths: { part: parts }',
      'groups:',
      '  train:',
      '    needs: split',
      '    matrix: { part: "${{ tasks.split.outputs.parts }}", rate: [0.1, 0.2] }',
      '    max_parallel: 2',
      '    max_fanout: 50',
      'tasks:',
      '  split: { run: "true" }',
      '  fit: { group: train, run: "fit ${{ matrix.part }}", writes: [part], if: matrix.rate > 0.1 }',
      '  score: { group: train, reads: [part], run: "score ${{ tasks.fit.outputs.auc }}" }',
      '  best: { needs: train, run: "pick ${{ tasks.score.outputs[0].auc }}" }',
    );
    const matrix = {
      kind: 'dynamic',
      axes: { part: { expr: 'tasks.split.outputs.parts' }, rate: { list: [0.1, 0.2] } },
    };
    expect(pipeline.groups).toEqual({
      train: { description: '', upstream: ['split'], matrix, maxParallel: 2, maxFanout: 50 },
    });
    expect(pipeline.tasks.map((task) => [task.id, task.group, task.matrix?.kind ?? null, task.maxFanout])).toEqual([
      ['split', undefined, null, 1000],
      ['fit', 'train', 'dynamic', 50],
      ['score', 'train', 'dynamic', 50],
      ['best', undefined, null, 1000],
    ]);
    expect(links(pipeline)).toEqual({ split: [], fit: ['split'], score: ['fit'], best: ['score'] });
  });

  test('may have tasks that fan out again for each item, whose expressions know both', () => {
    const pipeline = compile(
      'groups: { g: { matrix: { region: [eu, us] } } }',
      'tasks:',
      '  parts: { group: g, run: "true" }',
      '  fit:',
      '    group: g',
      '    needs: parts',
      '    matrix: { part: "${{ tasks.parts.outputs.parts }}", rate: [0.1, 0.2] }',
      '    max_parallel: 2',
      '    max_fanout: 50',
      '    if: matrix.region != "us"',
      '    run: "fit ${{ matrix.region }} ${{ matrix.part }}"',
      '  best: { group: g, needs: fit, run: "pick ${{ tasks.fit.outputs[0].auc }}" }',
    );
    const axes = { part: { expr: 'tasks.parts.outputs.parts' }, rate: { list: [0.1, 0.2] } };
    expect(pipeline.tasks.map(({ id, matrix, inner }) => ({ id, kind: matrix?.kind, inner }))).toEqual([
      { id: 'parts', kind: 'literal' },
      { id: 'fit', kind: 'literal', inner: { matrix: { kind: 'dynamic', axes }, maxFanout: 50 } },
      { id: 'best', kind: 'literal' },
    ]);
    expect(links(pipeline)).toEqual({ parts: [], fit: ['parts'], best: ['fit'] });
  });

  test('without any of them a pipeline says nothing of groups', () => {
    expect(Object.keys(compile('tasks: { a: { run: "true" } }'))).not.toContain('groups');
  });

  test.each([
    [
      'that does not exist',
      ['groups: { train: {} }', 'tasks: { a: { run: x, group: trian }, b: { run: x, group: train } }'],
      ['3:30 Task "a" is in the group "trian", which does not exist. > Did you mean "train"?'],
    ],
    [
      'in which nobody is',
      ['groups: { train: {} }', 'tasks: { a: { run: x } }'],
      ['2:11 No task is in the group "train". > Write `group: train` in its tasks, or remove it.'],
    ],
    [
      'with the name of a task',
      ['groups: { a: {} }', 'tasks: { a: { run: x, group: a } }'],
      ['2:11 The group "a" has the name of a task. > Rename one of them: `needs` knows both.'],
    ],
    [
      'of tasks under finally',
      ['groups: { g: {} }', 'tasks: { a: { run: x, group: g } }', 'finally: { z: { run: x, group: g } }'],
      ['4:25 Task "z" stands under finally, where there are no groups. > Remove it.'],
    ],
    [
      'needed from within',
      ['groups: { g: { needs: b } }', 'tasks: { a: { run: x, group: g, needs: g }, b: { run: x, group: g } }'],
      [
        '2:23 Group "g" needs "b", which is in it. > Remove it.',
        '3:40 Task "a" needs the group "g", in which it is. > Remove it.',
      ],
    ],
    [
      'with a limit and no fan-out',
      ['groups: { g: { max_parallel: 2 } }', 'tasks: { a: { run: x, group: g } }'],
      ['2:16 max_parallel has no meaning without matrix. > Remove it, or add `matrix:`.'],
    ],
    [
      'with an axis that a fan-out within it has as well',
      [
        'groups: { g: { matrix: { n: [1] } } }',
        'tasks: { a: { run: x, group: g, matrix: { n: [1], m: [1, 2] }, max_fanout: 20000 } }',
      ],
      [
        '3:43 Task "a" has the axis "n", which its group "g" has as well. > Rename one of them: its expressions know both.',
        '3:76 max_fanout is 20000; within an item of a group at most 10000 are possible. > Write 10000.',
      ],
    ],
    [
      'whose condition asks for what a fan-out within it makes',
      [
        'groups: { g: { matrix: { n: [1] } } }',
        'tasks: { a: { run: x, group: g, matrix: { m: [1] }, if: matrix.n > matrix.m } }',
      ],
      ['3:68 There is no matrix axis "m". > Did you mean "n"?'],
    ],
    [
      'within a group',
      [
        'groups: { g: { matrix: { n: [1] } }, h: { group: g } }',
        'tasks: { a: { run: x, group: g }, b: { run: x, group: h } }',
      ],
      [
        '2:43 The key "group" in groups.h is not yet supported. > Add the axis to the matrix of the outer group, or give the tasks of one of them `matrix` each.',
      ],
    ],
    [
      'that fans out and is left and entered again',
      [
        'groups: { g: { matrix: { n: [1] } } }',
        'tasks:',
        '  a: { run: x, group: g }',
        '  z: { run: x, needs: a }',
        '  b: { run: x, group: g, needs: z }',
      ],
      [
        '5:3 Task "z" stands between "a" and "b" of the group "g", which fans out. > Put it into the group as well, or take one of the two out.',
      ],
    ],
    [
      'whose matrix looks at what does not come before it',
      [
        'groups: { g: { matrix: { n: "${{ tasks.split.outputs.parts }}" } } }',
        'tasks: { split: { run: x }, a: { run: x, group: g } }',
      ],
      ['2:34 Task "split" does not run before group "g", so its outputs are not known there. > Add `needs: [split]`.'],
    ],
    [
      'with a fault of its own, which is all that is said',
      ['groups: { g: { matrix: 3 } }', 'tasks: { a: { run: "x ${{ matrix.n }}", group: g } }'],
      ['2:24 groups.g.matrix is 3; expected a map from axis to list. > For example: { lr: [0.05, 0.1] }.'],
    ],
    [
      'whose tasks wait for each other through it',
      ['groups: { g: { needs: z } }', 'tasks: { z: { run: x, needs: g }, a: { run: x, group: g } }'],
      [
        '3:23 Tasks wait for each other: z -> a -> z. > Remove one of these `needs`, or a read of a path that a later task writes.',
      ],
    ],
  ])('%s is refused', (_title, lines, expected) => {
    expect(problemsOf(...lines)).toEqual(expected);
  });
});

test('a wait and a call may fan out, and know their items', () => {
  const { tasks } = compile(
    'tasks:',
    '  landed: { wait: { path: "landing/${{ matrix.region }}" }, matrix: { region: [eu, us] }, max_parallel: 1 }',
    '  train: { call: { pipeline: other, params: { region: "${{ matrix.region }}" } }, matrix: { region: [eu] } }',
  );
  expect(tasks.map(({ matrix, maxParallel }) => [matrix?.kind, maxParallel])).toEqual([
    ['literal', 1],
    ['literal', 0],
  ]);
});
