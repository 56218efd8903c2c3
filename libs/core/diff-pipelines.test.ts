import { describe, expect, test } from '@jest/globals';
import { compilePipelines } from '#dag';
import { diffPipelines } from './diff-pipelines.ts';

const compile = (files: Record<string, string>) => {
  const { pipelines, problems } = compilePipelines(Object.entries(files).map(([file, text]) => ({ file, text })));
  expect([...problems.values()].flat()).toEqual([]);
  return pipelines;
};
const A = `name: a
description: first
schedule: "0 2 * * *"
params:
  sample: { type: number, default: 1 }
tasks:
  one: { run: echo 1 }
  two: { needs: [one], run: echo 2, retries: { max: 1 } }
`;

describe('the difference between pipelines', () => {
  test('is nothing for another order of files and keys, comments and lines', () => {
    const other = `# a comment\ntasks:\n\n  one: { run: echo 1 }\n  two: { run: echo 2, retries: { max: 1 }, needs: [one] }\nparams:\n  sample: { default: 1, type: number }\nschedule: "0 2 * * *"\nname: a\ndescription: first\n`;
    const b = 'name: b\ntasks: { x: { run: "true" } }\n';
    expect(diffPipelines(compile({ 'a.yaml': A, 'b.yaml': b }), compile({ 'b.yaml': b, 'a.yaml': other }))).toEqual([]);
  });

  test('names pipelines, tasks and fields with what they were and are', () => {
    const changed = A.replace('0 2 * * *', '0 3 * * *')
      .replace('default: 1 }', 'minimum: 0 }')
      .replace('max: 1', 'max: 3')
      .replace('  one: { run: echo 1 }', '  zero: { run: echo 0 }')
      .replace('[one]', '[zero]');
    const gone = 'name: gone\ntasks: { x: { run: "true" } }\n';
    const diff = diffPipelines(
      compile({ 'a.yaml': A, 'g.yaml': gone }),
      compile({ 'a.yaml': changed, 'n.yaml': gone.replace('gone', 'new') }),
    );
    expect(diff).toEqual([
      {
        pipeline: 'a',
        change: 'changed',
        fields: [
          { field: 'params.sample.default', before: 1 },
          { field: 'params.sample.minimum', after: 0 },
          { field: 'schedule.cron', before: '0 2 * * *', after: '0 3 * * *' },
        ],
        tasks: [
          { task: 'one', change: 'removed', fields: [] },
          {
            task: 'two',
            change: 'changed',
            fields: [
              { field: 'retries.max', before: 1, after: 3 },
              { field: 'upstream', before: ['one'], after: ['zero'] },
            ],
          },
          { task: 'zero', change: 'added', fields: [] },
        ],
      },
      { pipeline: 'gone', change: 'removed', fields: [], tasks: [] },
      { pipeline: 'new', change: 'added', fields: [], tasks: [] },
    ]);
  });

  test('of a thing with itself is empty, whatever its names', () => {
    const odd = compile({ 'a.yaml': A }).map((one) => ({
      ...one,
      env: JSON.parse('{"__proto__":"x","constructor":"y"}'),
    }));
    expect(diffPipelines(odd, structuredClone(odd))).toEqual([]);
    const changed = odd.map((one) => ({ ...one, env: JSON.parse('{"__proto__":"z","constructor":"y"}') }));
    expect(diffPipelines(odd, changed)[0]?.fields).toEqual([{ field: 'env.__proto__', before: 'x', after: 'z' }]);
  });
});
