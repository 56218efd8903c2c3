import { describe, expect, test } from '@jest/globals';
import type { CompiledTask } from '#core';
import { parsePipeline, pipelineDigest, withOverlay } from './index.ts';

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
    ['notebook: a/b.ipynb', { kind: 'notebook', file: 'a/b.ipynb', params: {}, save: null }],
    [
      'notebook: { file: b.ipynb, params: { day: "${{ ds }}", n: [1] } }',
      { kind: 'notebook', file: 'b.ipynb', params: { day: '${{ ds }}', n: [1] }, save: null },
    ],
    [
      'spark: a/b.py',
      { kind: 'spark', file: 'a/b.py', mainClass: null, args: [], conf: {}, master: null, packages: [], pyFiles: [] },
    ],
    [
      'spark: { file: b.jar, class: a.B, args: [1, "${{ ds }}"], conf: { spark.x: "${{ ds }}" }, master: "${{ env.vars.spark }}", packages: [a:b:1], py_files: [c.zip] }',
      {
        ...{ kind: 'spark', file: 'b.jar', mainClass: 'a.B', args: [1, '${{ ds }}'], conf: { 'spark.x': '${{ ds }}' } },
        ...{ master: '${{ env.vars.spark }}', packages: ['a:b:1'], pyFiles: ['c.zip'] },
      },
    ],
    ['python: a.b:main', { kind: 'python', file: null, module: 'a.b', function: 'main' }],
    ['sql: a/b.sql', { kind: 'sql', file: 'a/b.sql', text: null, expressions: {} }],
    [
      'sql: select ${{ ds }}',
      { kind: 'sql', file: null, text: "select getvariable('__E1')", expressions: { __E1: 'ds' } },
    ],
    [
      'http: https://a.example/x',
      {
        kind: 'http',
        method: 'GET',
        url: 'https://a.example/x',
        query: {},
        headers: {},
        secretHeaders: {},
        content: null,
        status: [],
        expr: null,
        outputs: {},
        save: null,
        requestTimeoutMs: 30_000,
      },
    ],
  ])('%s', (line, body) => {
    expect(taskOf('tasks:', '  a:', `    ${line}`).body).toEqual(body);
  });

  test('a request with everything; what it reads is from elsewhere', () => {
    const task = taskOf(
      'paths: { raw: raw }',
      'tasks:',
      '  a:',
      '    http:',
      '      url: ${{ env.vars.api }}/orders/${{ ds }}',
      '      json: { day: "${{ ds }}", n: [1, null] }',
      '      headers: { X-Day: "${{ ds }}", X-Key: { secret: KEY } }',
      '      bearer: TOKEN',
      '      expect: { status: 201, expr: response.body.ok }',
      '      outputs: { id: response.body.id }',
      '      save: raw/a/b.json',
      '      timeout: 2m',
      '    secrets: [TOKEN, KEY]',
      '    writes: [raw]',
    );
    expect(task.network).toBe(true);
    expect(task.body).toEqual({
      kind: 'http',
      method: 'POST',
      url: '${{ env.vars.api }}/orders/${{ ds }}',
      query: {},
      headers: { 'x-day': '${{ ds }}' },
      secretHeaders: {
        'x-key': { secret: 'KEY', prefix: '' },
        authorization: { secret: 'TOKEN', prefix: 'Bearer ' },
      },
      content: { json: { day: '${{ ds }}', n: [1, null] } },
      status: [201],
      expr: 'response.body.ok',
      outputs: { id: 'response.body.id' },
      save: { path: 'raw', file: 'a/b.json' },
      requestTimeoutMs: 120_000,
    });
  });

  test('what verification must know of a task stands there only when it is said', () => {
    expect(taskOf('tasks:', '  a: { run: x, network: true, verify: { tolerance: 1e-9 } }')).toMatchObject({
      network: true,
      tolerance: 1e-9,
    });
    expect(taskOf('defaults: { cache: true }', 'tasks:', '  a: { run: x }').cache).toEqual({ files: null });
    expect(taskOf('tasks:', '  a: { run: x, cache: { files: [b, a, b] } }').cache).toEqual({ files: ['b', 'a'] });
    for (const task of ['{ run: x, cache: false }', '{ run: x, network: true }'])
      expect('cache' in taskOf('defaults: { cache: true }', 'tasks:', `  a: ${task}`)).toBe(false);
    const silent = taskOf('tasks:', '  a: { run: x, network: false }');
    expect(['network' in silent, 'tolerance' in silent]).toEqual([false, false]);
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
    [
      '{ cron: ["@daily", "0 6 * * mon", "0 0 * * *"], run: at_start, jitter: 10m }',
      {
        kind: 'cron',
        cron: ['0 0 * * *', '0 6 * * MON'],
        gap: 'next',
        fold: 'first',
        timezone: 'UTC',
        start: null,
        end: null,
        catchup: { kind: 'none' },
        run: 'at_start',
        delayMs: 574_331,
      },
    ],
    [
      '{ at: [2026-02-01T06:00, 2026-01-31, 2026-01-31T00:00], fold: second, run: at_end }',
      {
        kind: 'at',
        moments: ['2026-01-31T00:00:00', '2026-02-01T06:00:00'],
        gap: 'next',
        fold: 'second',
        timezone: 'UTC',
        start: null,
        end: null,
        catchup: { kind: 'none' },
      },
    ],
    ['{ cron: ["@daily"] }', expect.objectContaining({ cron: '0 0 * * *' })],
    ['{ at: 2026-01-31 }', expect.objectContaining({ moments: ['2026-01-31T00:00:00'] })],
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

  test('one replica is what every task has; an environment may have another number of them, or none', () => {
    const plain = taskOf('tasks: { a: { run: x } }');
    for (const one of ['1', '{ min: 1, max: 1 }'])
      expect(taskOf(`tasks: { a: { run: x, replicas: ${one} } }`)).toEqual(plain);
    expect(taskOf('tasks: { a: { run: x, replicas: 3 } }')).toEqual({ ...plain, replicas: { min: 3, max: 3 } });
    const { pipeline } = parsePipeline(
      'p.yaml',
      `name: p
tasks: { a: { run: x, replicas: 8 }, b: { run: x } }
environments: { dev: { replicas: 1 }, test: { replicas: { min: 1, max: 2 } } }`,
    );
    const of = (name: string) => withOverlay(pipeline!, name).tasks.map(({ replicas = null }) => replicas);
    expect(of('prod')).toEqual([{ min: 8, max: 8 }, null]);
    expect(of('dev')).toEqual([null, null]);
    expect(of('test')).toEqual([{ min: 1, max: 2 }, null]);
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
