import { describe, expect, test } from '@jest/globals';
import type { CompiledTask } from '#core';
import { parsePipeline, pipelineDigest } from './index.ts';

/** `line:column message > hint` of each problem. */
function problemsOf(text: string): string[] {
  return parsePipeline('p.yaml', text).problems.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`,
  );
}

/** The problems of `lines` put below a name. */
const below = (...lines: string[]): string[] => problemsOf(['name: p', ...lines].join('\n'));
const ONE_TASK = 'tasks: { a: { run: x } }';

function compiled(...lines: string[]) {
  const { pipeline, problems } = parsePipeline('p.yaml', ['name: p', ...lines].join('\n'));
  expect(problems).toEqual([]);
  if (pipeline === null) throw new Error('no pipeline');
  return pipeline;
}

function taskOf(...lines: string[]): CompiledTask {
  const task = compiled(...lines).tasks.find(({ id }) => id === 'a');
  if (task === undefined) throw new Error('no task a');
  return task;
}

describe('messages', () => {
  test.each<[string, string[], string[]]>([
    [
      'a typo in a key',
      ['tasks: { a: { run: x, need: [b] } }'],
      ['2:23 The key "need" in tasks.a is not known. > Did you mean "needs"?'],
    ],
    [
      "Airflow's name for a key",
      ['tasks: { a: { run: x, trigger_rule: all_done } }'],
      ['2:23 The key "trigger_rule" in tasks.a is not known. > Did you mean `when`?'],
    ],
    [
      "Airflow's name at the top",
      [ONE_TASK, 'start_date: 2026-01-01'],
      ['3:1 The key "start_date" is not known. > Did you mean `schedule: { start: … }`?'],
    ],
    [
      'a key of a later version',
      ['tasks: { a: { call: other } }'],
      [
        '2:15 The key "call" in tasks.a is not yet supported. > Put the tasks into one pipeline, or let the other pipeline read this one\'s paths.',
      ],
    ],
    [
      'a value of a later version',
      ['tasks: { a: { run: x, gate: { expr: "true", on_fail: needs_approval } } }'],
      ['2:54 tasks.a.gate.on_fail: "needs_approval" is not yet supported. > Use `fail` or `skip_downstream`.'],
    ],
    [
      'runs at the start',
      [ONE_TASK, 'schedule: { cron: "@daily", run: at_start }'],
      [
        '3:34 schedule.run: "at_start" is not yet supported. > Runs start when their interval ends; shift the cron instead.',
      ],
    ],
    [
      'a need of nobody',
      ['tasks: { extract: { run: x }, b: { run: x, needs: [extrct] } }'],
      ['2:52 Task "b" needs "extrct", which does not exist. > Did you mean "extract"?'],
    ],
    [
      'a duration without a unit',
      ['tasks: { a: { run: x, timeout: 30 } }'],
      [
        '2:32 tasks.a.timeout is 30; expected a duration such as 90s, 15m, 1h30m, 2d or PT15M. > Add the unit: 30s, 30m or 30h.',
      ],
    ],
    [
      'a list where one item stands',
      [ONE_TASK, 'tags: daily'],
      ['3:7 tags is "daily"; expected a list of texts. > Write [daily].'],
    ],
    [
      'a parameter that is not declared',
      [
        'params: { rate: { type: number, default: 1 } }',
        'tasks:',
        '  a:',
        '    run: |',
        '      echo hello',
        '      echo ${{ params.rat }}',
      ],
      ['7:16 There is no parameter "rat". > Did you mean "rate"?'],
    ],
    [
      'an expression of the wrong type',
      ['params: { n: { type: string, default: x } }', 'tasks: { a: { run: x, if: params.n > 3 } }'],
      [
        '3:27 Expression `params.n > 3` is not valid: operator does not apply: string > int. > Convert one side with string(…), int(…) or double(…), or compare values of one type.',
      ],
    ],
    [
      'a condition that is none',
      ['tasks: { a: { run: x, if: "ds" } }'],
      ['2:28 Expression `ds` gives a string; expected true or false. > Compare it: ==, !=, <, >, has(…).'],
    ],
    [
      'a task that is not upstream',
      ['tasks: { a: { run: "echo ${{ tasks.b.outputs.x }}" }, b: { run: x } }'],
      ['2:30 Task "b" does not run before task "a", so its outputs are not known there. > Add `needs: [b]`.'],
    ],
    [
      'a metric that is not declared',
      ['tasks: { a: { run: x, gate: metrics.auc > 1 } }'],
      ['2:29 There is no metric "auc". > Declare it under `metrics:` of the task.'],
    ],
    [
      'an expression in single quotes',
      ['tasks:', '  a:', "    run: echo '${{ ds }}'"],
      [
        '4:16 An expression stands in single quotes, where bash replaces nothing. > Use double quotes, or add `env: { VALUE: "${{ ds }}" }` to the task and write "$VALUE".',
      ],
    ],
    [
      'a path out of the root',
      ['paths: { raw: ../raw }', 'tasks: { a: { run: x, writes: [raw] } }'],
      [
        '2:15 The location "../raw" of path "raw" is not valid: it holds the folder "..". > A path cannot leave its root; write the folder out.',
      ],
    ],
    [
      'two writers',
      ['paths: { raw: raw }', 'tasks: { a: { run: x, writes: [raw] }, b: { run: x, writes: [raw] } }'],
      [
        '3:62 Path "raw" is written by task "a" and by task "b". > A path has one writer: give one of them a path of its own.',
      ],
    ],
    [
      'a path in a path',
      ['paths: { raw: raw, part: raw/x }', 'tasks: { a: { run: x, writes: [raw, part] } }'],
      [
        '2:26 Paths "raw" (task "a") and "part" (task "a") may be the same folder or one inside the other, and each is written. > Give them folders that cannot meet.',
      ],
    ],
    [
      'a window without partitions',
      [
        'paths: { raw: raw }',
        'tasks: { a: { run: x, writes: [raw] }, b: { run: x, reads: [{ path: raw, last: 28d }] } }',
      ],
      ['3:80 The path "raw" has no partitions, so it has no window. > Declare it as { at: …, partition: ds }.'],
    ],
    [
      'a cycle',
      ['tasks:', '  a: { run: x, needs: [c] }', '  b: { run: x, needs: [a] }', '  c: { run: x, needs: [b] }'],
      [
        '3:16 Tasks wait for each other: a -> b -> c -> a. > Remove one of these `needs`, or a read of a path that a later task writes.',
      ],
    ],
    [
      'a fan-out that is too wide',
      ['tasks: { a: { run: x, max_fanout: 3, matrix: { i: [1, 2], j: [1, 2] } } }'],
      ['2:46 matrix makes 4 task runs; at most 3 are allowed. > Raise max_fanout to 4 or shorten the lists.'],
    ],
    [
      'a default outside its bounds',
      ['params: { n: { type: integer, default: 11, maximum: 10 } }', ONE_TASK],
      ['2:40 params.n.default is 11; expected at most 10. > Change the default or the schema.'],
    ],
    [
      'a value of an environment',
      ['params: { n: { type: integer, default: 1 } }', ONE_TASK, 'environments: { dev: { params: { n: x, m: 1 } } }'],
      [
        '4:37 params.n is "x"; expected a whole number. > Change the value or the schema.',
        '4:40 There is no parameter "m". > Did you mean "n"?',
      ],
    ],
    [
      'what environments cannot change',
      [ONE_TASK, 'environments: { dev: { tasks: {} } }'],
      ['3:24 The key "tasks" in environments.dev is not known. > Known keys: schedule, paused, params, pool, alerts.'],
    ],
    [
      'a reserved variable',
      ['tasks: { a: { run: x, env: { PATH_RAW: y } } }'],
      [
        '2:30 The variable "PATH_RAW" is reserved. > Choose another name; PATH_, OUT_, DATA_, PARAM_ and SLUICE_ belong to Sluice.',
      ],
    ],
    [
      'a finally task that waits for a task',
      ['tasks: { a: { run: x } }', 'finally: { z: { run: x, needs: [a] } }'],
      [
        '3:33 Task "z" under finally needs "a", which always ends before. > Remove it; use `if: tasks.…` to look at its state.',
      ],
    ],
    [
      'a file out of dags',
      ['tasks: { a: { python: ../x.py } }'],
      [
        '2:23 The file "../x.py" is not a plain path below dags/. > Write it relative to dags/, without "..", "./" or blanks.',
      ],
    ],
    [
      'a day that does not exist',
      [ONE_TASK, 'schedule: { cron: "0 0 30 2 *" }'],
      ['3:19 Cron: "0 0 30 2 *" never fires. > The day of month does not exist in any of the named months.'],
    ],
    [
      'a time zone with a typo',
      [ONE_TASK, 'schedule: { cron: "@daily", timezone: Europe/Berln }'],
      ['3:39 schedule.timezone is "Europe/Berln"; expected an IANA time zone. > Did you mean "Europe/Berlin"?'],
    ],
    [
      'the name of a container variable',
      ['tasks: { a: { run: "echo ${{ execution_date }}" } }'],
      ['2:30 The name "execution_date" is not known in an expression. > Use data_interval_start.'],
    ],
  ])('%s', (_title, lines, expected) => {
    expect(below(...lines)).toEqual(expected);
  });

  test('all problems come at once, in the order of the file', () => {
    expect(
      below(
        'owner: 3',
        'schedule: { cron: "61 * * * *" }',
        'params: { n: { type: nmber } }',
        'tasks:',
        '  a: { run: "echo ${{ params.n }} ${{ params.m }}", needs: [z], tmeout: 1h }',
        '  b: { run: x, when: allways }',
        '  c: { sql: "select ${{ ds }}", reads: [raw] }',
      ).map((line) => line.split(' > ')[0]),
    ).toEqual([
      '2:8 owner is 3; expected a text.',
      '3:19 Cron: the minute "61" is not valid; expected 0-59, as values (1,2), ranges (1-5) or steps (*/15).',
      '4:22 params.n.type is "nmber"; expected string, number, integer, boolean, array or object.',
      '6:65 The key "tmeout" in tasks.a is not known.',
      '7:22 tasks.b.when is "allways"; expected all_success, all_failed, all_done, all_done_min_one_success, all_skipped, one_success, one_failed, one_done, none_failed, none_failed_min_one_success, none_skipped or always.',
      '8:41 There is no path "raw" in this pipeline.',
    ]);
  });

  test('a file with a thousand faults shows a hundred and says how many are left', () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `x${index}: 1`);
    const problems = below(ONE_TASK, ...keys);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('102:1 900 more problems are not shown. > Mend the first ones and validate again.');
  });
});

describe('what a file is compiled to', () => {
  test('everything that is not said has a value', () => {
    expect(compiled(ONE_TASK)).toEqual({
      format: 1,
      name: 'p',
      file: 'p.yaml',
      description: '',
      owner: '',
      tags: [],
      schedule: { kind: 'manual' },
      maxActiveRuns: 16,
      maxActiveTasks: 0,
      overlap: 'queue',
      runTimeoutMs: null,
      deadlineMs: null,
      params: {},
      paths: {},
      env: {},
      tasks: [
        {
          id: 'a',
          body: { kind: 'run', script: 'x', expressions: {} },
          upstream: [],
          when: 'all_success',
          condition: null,
          matrix: null,
          maxParallel: 0,
          maxFanout: 1000,
          reads: [],
          writes: [],
          retries: { max: 0, delayMs: 30_000, backoff: 2, maxDelayMs: 1_800_000, jitter: 0.1, on: null },
          timeoutMs: null,
          pool: 'default',
          slots: 1,
          priority: 0,
          catch: false,
          final: false,
          env: {},
          secrets: [],
          metrics: [],
          checks: [],
          gate: null,
          line: 2,
        },
      ],
      alerts: [],
      environments: {},
    });
  });

  test.each<[string, unknown]>([
    ['run: echo ${{ ds }}', { kind: 'run', script: 'echo "${__E1}"', expressions: { __E1: 'ds' } }],
    ['node: a/b.ts#main', { kind: 'node', file: 'a/b.ts', export: 'main' }],
    ['python: a/b.py', { kind: 'python', file: 'a/b.py', module: null, function: null }],
    ['python: a/b.py:main', { kind: 'python', file: 'a/b.py', module: null, function: 'main' }],
    ['python: a.b:main', { kind: 'python', file: null, module: 'a.b', function: 'main' }],
    ['sql: a/b.sql', { kind: 'sql', file: 'a/b.sql', text: null, expressions: {} }],
    [
      'sql: select ${{ ds }}',
      { kind: 'sql', file: null, text: "select getvariable('__E1')", expressions: { __E1: 'ds' } },
    ],
  ])('%s', (line, body) => {
    expect(taskOf('tasks:', '  a:', `    ${line}`).body).toEqual(body);
  });

  test.each<[string, unknown]>([
    [
      '"@daily"',
      {
        kind: 'cron',
        cron: '0 0 * * *',
        gap: 'next',
        fold: 'first',
        timezone: 'UTC',
        start: null,
        end: null,
        catchup: { kind: 'none' },
      },
    ],
    [
      '{ cron: "0 6 * * mon", timezone: Europe/Berlin, gap: skip, fold: both, catchup: true }',
      {
        kind: 'cron',
        cron: '0 6 * * MON',
        gap: 'skip',
        fold: 'both',
        timezone: 'Europe/Berlin',
        start: null,
        end: null,
        catchup: { kind: 'all', order: 'oldest_first' },
      },
    ],
    [
      '{ every: 1h30m, start: 2026-01-01T06:00, end: 2026-02-01, catchup: { max_age: 3d, order: newest_first } }',
      {
        kind: 'every',
        everyMs: 5_400_000,
        timezone: 'UTC',
        start: '2026-01-01T06:00',
        end: '2026-02-01',
        catchup: { kind: 'bounded', maxAgeMs: 259_200_000, order: 'newest_first' },
      },
    ],
    ['manual', { kind: 'manual' }],
    ['', { kind: 'manual' }],
  ])('schedule: %s', (schedule, expected) => {
    expect(compiled(ONE_TASK, `schedule: ${schedule}`).schedule).toEqual(expected);
  });

  test('needs and paths make edges; globs never match the task itself; tasks are in topological order', () => {
    const { tasks } = compiled(
      'paths: { raw: raw, clean: clean }',
      'tasks:',
      '  report: { run: x, needs: ["load_*", "*port"], reads: [clean] }',
      '  clean: { run: x, reads: [raw], writes: [clean] }',
      '  load_b: { run: x }',
      '  load_a: { run: x, writes: [raw] }',
      '  export: { run: x }',
      'finally: { tidy: { run: x, if: run.state == "failed" }, last: { run: x, needs: tidy } }',
    );
    expect(tasks.map(({ id, upstream, when, final }) => ({ id, upstream, when, final }))).toEqual([
      { id: 'load_b', upstream: [], when: 'all_success', final: false },
      { id: 'load_a', upstream: [], when: 'all_success', final: false },
      { id: 'export', upstream: [], when: 'all_success', final: false },
      { id: 'clean', upstream: ['load_a'], when: 'all_success', final: false },
      { id: 'report', upstream: ['clean', 'export', 'load_a', 'load_b'], when: 'all_success', final: false },
      { id: 'tidy', upstream: [], when: 'all_done', final: true },
      { id: 'last', upstream: ['tidy'], when: 'all_done', final: true },
    ]);
  });

  test('reads: names, aliases, windows, other pipelines, and what happens without the data', () => {
    const paths = 'paths: { raw: { at: raw, partition: ds }, state: state }';
    const reads = (text: string): unknown =>
      taskOf(paths, 'tasks:', `  a: { run: x, writes: [state], reads: ${text} }`, '  w: { run: x, writes: [raw] }')
        .reads;
    const usual = { alias: 'raw', pipeline: null, path: 'raw', lastMs: null, missing: 'fail' };
    expect(reads('[raw, state]')).toEqual([usual, { ...usual, alias: 'state', path: 'state', missing: 'ok' }]);
    expect(reads('{ before: raw }')).toEqual([{ ...usual, alias: 'before' }]);
    expect(reads('[{ path: raw, last: 28d, missing: ok }]')).toEqual([
      { ...usual, lastMs: 28 * 86_400_000, missing: 'ok' },
    ]);
    expect(reads('[other-one.raw]')).toEqual([{ ...usual, pipeline: 'other-one', missing: 'wait' }]);
    expect(reads('{ x: { path: other.raw, missing: fail } }')).toEqual([{ ...usual, alias: 'x', pipeline: 'other' }]);
    expect(reads('[p.raw]')).toEqual([usual]);
  });

  test('defaults go to tasks that say nothing, part by part', () => {
    const task = (own: string): CompiledTask =>
      taskOf(
        'defaults: { retries: { max: 2, delay: 1m, on: [3] }, timeout: 1h, pool: small, slots: 2, priority: 5 }',
        `tasks: { a: { run: x${own} } }`,
      );
    expect(task('')).toMatchObject({
      retries: { max: 2, delayMs: 60_000, on: [3] },
      timeoutMs: 3_600_000,
      pool: 'small',
      slots: 2,
      priority: 5,
    });
    expect(task(', retries: 0, timeout: 5m, pool: big, slots: 1, priority: -1')).toMatchObject({
      retries: { max: 0, delayMs: 60_000 },
      timeoutMs: 300_000,
      pool: 'big',
      slots: 1,
      priority: -1,
    });
    expect(taskOf('tasks: { a: { run: x, retries: { max: 1, delay: 2h } } }').retries).toMatchObject({
      delayMs: 7_200_000,
      maxDelayMs: 7_200_000,
    });
  });

  test('conditions, checks and gates lose their braces', () => {
    expect(
      taskOf(
        'tasks:',
        '  a:',
        '    run: x',
        '    if: ${{ env.name != "dev" }}',
        '    metrics: [auc]',
        '    checks: [outputs.rows > 0, { name: n, expr: metrics.auc > 0.5, on_fail: warn }]',
        '    gate: { expr: "${{ !has(baseline.auc) || metrics.auc >= baseline.auc }}", on_fail: skip_downstream }',
      ),
    ).toMatchObject({
      condition: 'env.name != "dev"',
      checks: [
        { name: 'outputs.rows > 0', expr: 'outputs.rows > 0', onFail: 'fail' },
        { name: 'n', expr: 'metrics.auc > 0.5', onFail: 'warn' },
      ],
      gate: { expr: '!has(baseline.auc) || metrics.auc >= baseline.auc', onFail: 'skip_downstream' },
    });
  });

  test('a matrix is literal, or dynamic as soon as one axis is an expression', () => {
    expect(taskOf('tasks: { a: { run: x, matrix: { i: [1, 2] } } }').matrix).toEqual({
      kind: 'literal',
      axes: { i: [1, 2] },
    });
    const dynamic = [
      'tasks:',
      '  b: { run: x }',
      '  a: { run: x, needs: b, matrix: { i: "${{ tasks.b.outputs.parts }}", j: [1] } }',
    ];
    expect(taskOf(...dynamic).matrix).toEqual({
      kind: 'dynamic',
      axes: { i: { expr: 'tasks.b.outputs.parts' }, j: { list: [1] } },
    });
  });

  test('texts may hold anything: shell signs stay what they are', () => {
    const nasty = '$(touch x) `id` "; rm -rf / #\' ${HOME} ../.. \\ | & < >';
    const pipeline = compiled(
      `description: ${JSON.stringify(nasty)}`,
      `owner: ${JSON.stringify(nasty)}`,
      `tags: [${JSON.stringify(nasty)}]`,
      'tasks:',
      '  a:',
      `    run: ${JSON.stringify(`echo ${nasty}`)}`,
      `    env: { V: ${JSON.stringify(nasty)} }`,
    );
    expect(pipeline).toMatchObject({ description: nasty, owner: nasty, tags: [nasty] });
    expect(pipeline.tasks[0]).toMatchObject({ body: { script: `echo ${nasty}` }, env: { V: nasty } });
  });

  test('anchors and aliases are followed', () => {
    expect(
      compiled('tasks:', '  b: { run: x, retries: &r { max: 3, delay: 1s } }', '  a: { run: x, retries: *r }').tasks[1]
        ?.retries.max,
    ).toBe(3);
  });

  test('comments, key order and layout do not change the digest; meaning does', () => {
    const digest = (text: string): string => pipelineDigest(parsePipeline('p.yaml', text).pipeline!);
    const first = digest('name: p\ntasks:\n  a: { run: x, env: { A: "1", B: "2" } }\n');
    expect(digest('# hello\ntasks:\n\n  a:\n    env:\n      B: "2"\n      A: 1\n    run: x\nname: p\n')).toBe(first);
    expect(digest('name: p\ntasks:\n  a: { run: y, env: { A: "1", B: "2" } }\n')).not.toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
  });
});
