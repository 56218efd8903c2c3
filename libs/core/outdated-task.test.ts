import { expect, test } from '@jest/globals';
import { whyOutdated, type CompiledTask } from '#core';

const aTask = (more: object = {}): CompiledTask =>
  ({
    ...{
      id: 't',
      env: {},
      matrix: null,
      reads: [],
      writes: [],
      secrets: [],
      metrics: [],
      checks: [],
      gate: null,
      line: 3,
    },
    ...{ body: { kind: 'run', script: 'python3 etl/load.py', expressions: {} }, priority: 0, retries: { max: 0 } },
    ...more,
  }) as unknown as CompiledTask;
const files = (more: Record<string, string> = {}) =>
  new Map(Object.entries({ 'etl/load.py': 'a', 'etl/other.py': 'a', 'requirements.txt': 'a', ...more }));

test.each([
  ['nothing', {}, {}, null],
  ['its line, priority and retries', { line: 9, priority: 5, retries: { max: 3 } }, {}, null],
  ['a file that it does not name', {}, { 'etl/other.py': 'b' }, null],
  ['its text', { body: { kind: 'run', script: 'python3 etl/load.py -v', expressions: {} } }, {}, 'body.script changed'],
  [
    'its file, a lock, a variable',
    { env: { A: '1' } },
    { 'etl/load.py': 'b', 'requirements.txt': 'b' },
    'env.A, etl/load.py, requirements.txt changed',
  ],
  [
    'its plugin',
    { body: { kind: 'uses', plugin: 'dbt', with: {} } },
    { 'plugins/dbt/run.js': 'b' },
    'plugins/dbt/run.js changed',
  ],
] as const)('%s', (_what, more, changed, expected) => {
  const then = 'body' in more && more.body.kind === 'uses' ? aTask(more) : aTask();
  expect(whyOutdated({ task: then, files: files() }, { task: aTask(more), files: files(changed) })).toBe(expected);
});
