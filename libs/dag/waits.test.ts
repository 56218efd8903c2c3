import { describe, expect, test } from '@jest/globals';
import { compilePipelines } from '#dag';

const OTHER =
  'name: other\nparams: { rate: { type: number }, size: { type: integer, default: 1 } }\npaths: { raw: raw }\ntasks: { make: { run: "true", writes: [raw] } }';

function compiled(task: string): { body: unknown; problems: string[] } {
  const text = `name: p\nparams: { day: { type: string, default: x } }\ntasks:\n  w: ${task}`;
  const { pipelines, problems } = compilePipelines([
    { file: 'p.yaml', text },
    { file: 'other.yaml', text: OTHER },
  ]);
  return {
    body: pipelines.find(({ name }) => name === 'p')?.tasks[0]?.body,
    problems: (problems.get('p.yaml') ?? []).map(
      ({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`,
    ),
  };
}

const usual = { kind: 'wait', everyMs: 60_000, timeoutMs: 7 * 86_400_000, onTimeout: 'fail' };

describe('what a task waits for', () => {
  test.each<[written: string, body: object]>([
    [
      '{ wait: { path: "landing/${{ params.day }}", every: 5m, timeout: 6h, on_timeout: skip } }',
      {
        kind: 'wait',
        everyMs: 300_000,
        timeoutMs: 21_600_000,
        onTimeout: 'skip',
        condition: { kind: 'path', at: 'landing/${{ params.day }}' },
      },
    ],
    ['{ wait: { dataset: other.raw } }', { ...usual, condition: { kind: 'dataset', pipeline: 'other', path: 'raw' } }],
    ['{ wait: { run: other } }', { ...usual, condition: { kind: 'run', pipeline: 'other' } }],
    [
      '{ wait: { http: https://a.example/x } }',
      {
        ...usual,
        condition: { kind: 'http', url: 'https://a.example/x', status: [200], expr: null, headers: {}, bearer: null },
      },
    ],
    [
      '{ wait: { http: { url: https://a.example/x, status: [200, 204], expr: response.body.n > 3, headers: { Accept: text/plain }, bearer: TOKEN } } }',
      {
        ...usual,
        condition: {
          kind: 'http',
          url: 'https://a.example/x',
          status: [200, 204],
          expr: 'response.body.n > 3',
          headers: { Accept: 'text/plain' },
          bearer: 'TOKEN',
        },
      },
    ],
    [
      '{ wait: { time: data_interval_end + 2h } }',
      {
        ...usual,
        timeoutMs: null,
        condition: { kind: 'time', expr: 'timestamp(data_interval_end) + duration("7200s")' },
      },
    ],
    [
      '{ wait: { time: "2026-01-31T06:00:00+01:00" } }',
      { ...usual, timeoutMs: null, condition: { kind: 'time', expr: 'timestamp("2026-01-31T05:00:00.000Z")' } },
    ],
    [
      '{ call: { pipeline: other, params: { rate: "${{ params.day }}" } }, timeout: 1h }',
      {
        kind: 'call',
        pipeline: 'other',
        params: { rate: '${{ params.day }}' },
        timeoutMs: 3_600_000,
        onTimeout: 'fail',
      },
    ],
    ['{ wait: { expr: now.getHours() >= 6 } }', { ...usual, condition: { kind: 'expr', expr: 'now.getHours() >= 6' } }],
    [
      '{ approve: "Publish ${{ run.id }}?" }',
      { kind: 'approve', message: 'Publish ${{ run.id }}?', groups: [], timeoutMs: null, onTimeout: 'fail' },
    ],
    [
      '{ approve: { message: Go on?, groups: [leads], timeout: 1d, on_timeout: skip } }',
      { kind: 'approve', message: 'Go on?', groups: ['leads'], timeoutMs: 86_400_000, onTimeout: 'skip' },
    ],
  ])('%s', (written, body) => {
    expect(compiled(written)).toEqual({ body, problems: [] });
  });
});

describe('what is refused', () => {
  test.each<[written: string, problem: string]>([
    [
      '{ wait: {} }',
      '4:8 The wait of task "w" names nothing to wait for; expected exactly one of path, dataset, http, run, time, expr. > Write for example `wait: { path: landing/_SUCCESS }`.',
    ],
    [
      '{ wait: { path: a, run: other } }',
      '4:25 The wait of task "w" has both path and run; expected exactly one of path, dataset, http, run, time, expr. > Wait for two things in two tasks.',
    ],
    [
      '{ wait: { path: ../etc } }',
      '4:22 path is "../etc": it holds the folder "..". > A path cannot leave its root; write the folder out.',
    ],
    [
      '{ wait: { http: "http://${{ params.day }}/x" } }',
      '4:22 The address "http://${{ params.day }}/x" has no fixed beginning; expected http:// or https:// and a host, or ${{ env.vars.<name> }}. > Write it out, such as https://example.org/orders.',
    ],
    [
      '{ wait: { http: https://me:word@a.example } }',
      '4:22 The address holds a user or a password. > Name a secret in `bearer:` or `headers:` instead.',
    ],
    [
      '{ wait: { http: { url: https://a.example, headers: { Authorization: x } } } }',
      '4:59 The header "Authorization" would hold a secret in the file. > Name the secret instead: bearer: API_TOKEN.',
    ],
    [
      '{ wait: { time: tomorrow } }',
      '4:22 time is "tomorrow"; expected an instant with its zone, data_interval_end + a duration, or an expression. > For example: data_interval_end + 2h, or 2026-01-31T06:00:00Z.',
    ],
    ['{ wait: { path: a, every: 10ms } }', '4:32 every is "10ms"; expected 1s or more. > Write 1s.'],
    [
      '{ wait: { expr: response.status == 200 } }',
      '4:22 response is not known in task "w". > Only `expr` and `outputs` of an HTTP request know it.',
    ],
    [
      '{ if: now != null, wait: { path: a } }',
      '4:12 now is not known in task "w". > Only `wait: { expr: … }` knows it.',
    ],
    [
      '{ wait: { path: a }, retries: 2 }',
      '4:27 retries has no meaning with wait, which executes nothing. > Write how often it is looked at: wait: { …, every: 5m }.',
    ],
    [
      '{ approve: Go on?, pool: gpu }',
      '4:25 pool has no meaning with approve, which executes nothing. > Move it to the task that comes next.',
    ],
    [
      '{ wait: { dataset: othr.raw } }',
      '4:25 Task "w" waits for "othr.raw", but there is no pipeline "othr". > Did you mean "other"?',
    ],
    [
      '{ wait: { dataset: other.rw } }',
      '4:25 Task "w" waits for "other.rw", but other.yaml declares no such path. > Did you mean "raw"?',
    ],
    [
      '{ wait: { run: p } }',
      '4:21 Task "w" waits for a run of its own pipeline. > Use `needs`, or `reads` with `last:` for earlier intervals.',
    ],
    ['{ call: othr }', '4:14 Task "w" calls "othr", but there is no such pipeline. > Did you mean "other"?'],
    [
      '{ call: other }',
      '4:14 Task "w" calls "other" without the parameter "rate", which has no default in other.yaml. > Give it: call: { pipeline: other, params: { rate: … } }.',
    ],
    [
      '{ call: { pipeline: other, params: { rate: 1, sise: 2 } } }',
      '4:52 Task "w" calls "other" with the parameter "sise", which other.yaml does not declare. > Did you mean "size"?',
    ],
    [
      '{ call: { pipeline: other, params: { rate: "${{ params.dya }}" } } }',
      '4:54 There is no parameter "dya". > Did you mean "day"?',
    ],
    [
      '{ call: { pipeline: other, params: { rate: 1 } }, retries: 2 }',
      '4:56 retries has no meaning with call, which executes nothing. > Give `retries` to the tasks of the called pipeline.',
    ],
    ['{ approve: "Ok ${{ matrix.b }}?", matrix: { a: [1] } }', '4:25 There is no matrix axis "b". > Did you mean "a"?'],
    [
      '{ call: p }',
      '4:8 Pipelines start each other in a round: p → p. > Start one of them by time, by an event or by hand.',
    ],
    [
      '{ wait: { path: a }, run: echo }',
      '4:8 Task "w" has both run and wait; expected exactly one of run, node, python, notebook, spark, sql, http, uses, wait, approve, call. > Split it into two tasks.',
    ],
  ])('%s', (written, problem) => {
    expect(compiled(written).problems).toEqual([problem]);
  });
});

test('rounds of calls and triggers are refused where the first of them calls or is started', () => {
  const files = [
    'name: a\ntasks: { c: { call: b } }',
    'name: b\nfinally: { c: { call: c } }\ntasks: { x: { run: x } }',
    'name: c\ntasks: { d: { call: d } }',
    'name: d\nschedule: { after: c }\ntasks: { c: { call: a } }',
  ].map((text, index) => ({ file: `${'abcd'[index]}.yaml`, text }));
  const found = [...compilePipelines(files).problems.values()].flat();
  expect(found.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)).toEqual([
    'a.yaml:2:15 Pipelines start each other in a round: a → b → c → d → a.',
  ]);
  expect([
    ...compilePipelines(files.slice(1, 3).concat({ file: 'd.yaml', text: 'name: d\ntasks: { x: { run: x } }' }))
      .problems,
  ]).toEqual([]);
});
