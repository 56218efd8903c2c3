import { expect, test } from '@jest/globals';
import type { TaskBody } from '#core';
import type { Scope } from '#dag';
import { sparkProgram } from './spark-program.ts';
import { collectingInto } from './task-values.ts';

const scope: Scope = {
  params: { top: 3, areas: ['eu', 'us'], none: null },
  ds: '2026-01-01',
  env: { name: 'dev', vars: { spark: 'spark://head:7077' } },
  run: { id: '7', trigger: 'manual', release: 'r', interval: null },
};

function program(over: Partial<Extract<TaskBody, { kind: 'spark' }>>, cpu?: number) {
  const problems: string[] = [];
  const nothing = { file: 'a.py', mainClass: null, pyFiles: [], packages: [], args: [], conf: {}, master: null };
  const resources = cpu === undefined ? undefined : { cpu };
  const { args, conf, master } = sparkProgram(
    { kind: 'spark', ...nothing, ...over },
    resources,
    scope,
    collectingInto(problems),
  );
  return problems.length > 0 ? problems : { args, conf, master };
}

test('each argument and setting is one text, whatever its value is', () => {
  const args = ['--day', '${{ ds }}', '${{ params.top }}', 7, true, '${{ params.areas }}', '${{ params.none }}', 'a b'];
  const conf = { 'spark.a': '${{ params.top }}', 'spark.b': false, 'spark.c': 'x-${{ ds }}', 'spark.d': '${env.KEY}' };
  expect(program({ args, conf })).toEqual({
    args: ['--day', '2026-01-01', '3', '7', 'true', '["eu","us"]', '', 'a b'],
    conf: { 'spark.a': '3', 'spark.b': 'false', 'spark.c': 'x-2026-01-01', 'spark.d': '${env.KEY}' },
    master: 'local[*]',
  });
});

test.each([
  [null, undefined, 'local[*]'],
  [null, 4, 'local[4]'],
  [null, 0.5, 'local[1]'],
  ['local[2]', 4, 'local[2]'],
  ['${{ env.vars.spark }}', 4, 'spark://head:7077'],
])('master %s of a task that asks for %s processors is %s', (master, cpu, expected) => {
  expect(program({ master }, cpu)).toMatchObject({ master: expected });
});

test('what cannot be evaluated is said', () => {
  expect(program({ args: ['${{ env.vars.nope }}'] })).toEqual([expect.stringMatching(/^args: /)]);
});
