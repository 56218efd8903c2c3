import { describe, expect, test } from '@jest/globals';
import { compilePipelines, pipelineDigest, type CompiledBefore, type PipelineFile } from './index.ts';

const ETL = `params: { table: { type: string } }
defaults: { retries: 2 }
tasks:
  load: { run: 'load "\${{ params.table }}"', timeout: 1h, env: { LEVEL: info } }
  check: { run: check, needs: load }
`;
const ALL = `first:
  quota: { run: check-quota }
tasks:
  report: { run: report, needs: ["load*"] }
finally:
  audit: { run: 'audit "\${{ run.state }}"' }
`;
const ORDERS = `name: orders
extends: parts/_etl.yaml
params: { table: { default: orders } }
tasks:
  load: { timeout: 2h, env: { AREA: eu } }
  publish: { run: publish, needs: check }
`;

function files(texts: Readonly<Record<string, string>>): PipelineFile[] {
  return Object.entries(texts).map(([file, text]) => ({ file, text }));
}

function problemsOf(texts: Readonly<Record<string, string>>): string[] {
  const { problems } = compilePipelines(files(texts));
  return [...problems.values()]
    .flat()
    .map(({ file, line, column, message, hint }) => `${file}:${line}:${column} ${message} > ${hint}`);
}

describe('a file and its parts', () => {
  const parts = { '_all.yaml': ALL, 'parts/_etl.yaml': ETL };

  test('are one pipeline: maps are merged, the nearest says the last word, and each task knows who wrote it', () => {
    const { pipelines, problems } = compilePipelines(files({ 'orders.yaml': ORDERS, ...parts }));
    expect([...problems]).toEqual([]);
    expect(pipelines.map(({ name }) => name)).toEqual(['orders']);
    const [orders] = pipelines;
    expect(orders?.params).toEqual({ table: { type: 'string', default: 'orders' } });
    const shown = orders?.tasks.map(({ id, upstream, final, origin }) => ({ id, upstream, final, origin }));
    expect(shown).toEqual([
      { id: 'quota', upstream: [], final: false, origin: ['_all.yaml:2'] },
      { id: 'load', upstream: ['quota'], final: false, origin: ['orders.yaml:5', 'parts/_etl.yaml:4'] },
      { id: 'report', upstream: ['load'], final: false, origin: ['_all.yaml:4'] },
      { id: 'check', upstream: ['load'], final: false, origin: ['parts/_etl.yaml:5'] },
      { id: 'publish', upstream: ['check'], final: false, origin: undefined },
      { id: 'audit', upstream: [], final: true, origin: ['_all.yaml:6'] },
    ]);
    expect(orders?.tasks[1]).toMatchObject({
      env: { AREA: 'eu', LEVEL: 'info' },
      timeoutMs: 7_200_000,
      retries: { max: 2 },
    });
  });

  test('have the digest of the same pipeline written out', () => {
    const whole = `name: orders
params: { table: { type: string, default: orders } }
defaults: { retries: 2 }
first: { quota: { run: check-quota } }
tasks:
  load: { run: 'load "\${{ params.table }}"', timeout: 2h, env: { LEVEL: info, AREA: eu } }
  report: { run: report, needs: load }
  check: { run: check, needs: load }
  publish: { run: publish, needs: check }
finally: { audit: { run: 'audit "\${{ run.state }}"' } }
`;
    const [spread] = compilePipelines(files({ 'orders.yaml': ORDERS, ...parts })).pipelines;
    const [written] = compilePipelines(files({ 'orders.yaml': whole })).pipelines;
    expect(pipelineDigest(spread!)).toBe(pipelineDigest(written!));
  });

  test('null takes away what a part gives', () => {
    const text = 'name: p\nextends: _base.yaml\ntasks: { a: { run: null, python: m.x:f }, b: null }\n';
    const base = 'tasks: { a: { run: x, retries: 3 }, b: { run: x } }\n';
    const [pipeline] = compilePipelines(files({ 'p.yaml': text, '_base.yaml': base })).pipelines;
    expect(pipeline?.tasks.map(({ id, body, retries }) => [id, body.kind, retries.max])).toEqual([['a', 'python', 3]]);
  });

  test('are compiled again when a part changes, comes or goes, and only then', () => {
    const before: CompiledBefore = new Map();
    const plain = { 'plain.yaml': 'name: plain\ntasks: { a: { run: x } }\n' };
    const compiled = (texts: Readonly<Record<string, string>>) =>
      compilePipelines(files(texts), undefined, before).pipelines;
    const base = { 'orders.yaml': ORDERS, ...plain, 'parts/_etl.yaml': ETL };
    const [orders, other] = compiled(base);
    expect(compiled(base)[0]).toBe(orders);
    const [slower, same] = compiled({ ...base, 'parts/_etl.yaml': ETL.replace('retries: 2', 'retries: 5') });
    expect([slower?.tasks[0]?.retries.max, same === other]).toEqual([5, true]);
    const given = compiled({ ...base, '_all.yaml': 'first: { quota: { run: x } }\n' });
    expect(given[1]?.tasks.map(({ id }) => id)).toEqual(['quota', 'a']);
    expect(compiled(base)).toEqual([orders, other]);
  });
});

describe('problems stand in the file that wrote the line', () => {
  test.each<[string, Readonly<Record<string, string>>, string[]]>([
    [
      'a wrong value in a part',
      {
        'p.yaml': 'name: p\nextends: _b.yaml\ntasks: { a: { retries: 1 } }\n',
        '_b.yaml': '\ntasks:\n  a: { run: x, timeout: soon }\n',
      },
      [
        '_b.yaml:3:25 tasks.a.timeout is "soon"; expected a duration such as 90s, 15m, 1h30m, 2d or PT15M. > For example: 15m.',
      ],
    ],
    [
      'a wrong expression in a part beside an unknown key in the file',
      {
        'p.yaml': 'name: p\nextends: _b.yaml\nparams: { tabel: { default: x } }\ntasks: { a: { retires: 1 } }\n',
        '_b.yaml': 'tasks:\n  a:\n    run: load "${{ params.table }}"\n',
      },
      ['p.yaml:4:15 The key "retires" in tasks.a is not known. > Did you mean "retries"?'],
    ],
    [
      'a wrong expression in a part',
      {
        'p.yaml': 'name: p\nextends: _b.yaml\nparams: { tabel: { default: x } }\n',
        '_b.yaml': 'tasks:\n  a:\n    run: load "${{ params.table }}"\n',
      },
      ['_b.yaml:3:20 There is no parameter "table". > Did you mean "tabel"?'],
    ],
    [
      'a missing part',
      { 'p.yaml': 'name: p\nextends: _bse.yaml\n', '_base.yaml': 'tasks: { a: { run: x } }\n' },
      ['p.yaml:2:10 The part "_bse.yaml" does not exist below dags/. > Did you mean "_base.yaml"?'],
    ],
    [
      'a pipeline is no part',
      { 'p.yaml': 'name: p\nextends: q.yaml\n', 'q.yaml': 'name: q\ntasks: { a: { run: x } }\n' },
      [
        'p.yaml:2:10 extends is "q.yaml"; expected a file below dags/ whose name begins with _. > For example: _etl.yaml.',
      ],
    ],
    [
      'parts that extend each other',
      { 'p.yaml': 'name: p\nextends: _a.yaml\n', '_a.yaml': 'extends: _b.yaml\n', '_b.yaml': 'extends: _a.yaml\n' },
      [
        '_b.yaml:1:10 Parts extend each other: p.yaml -> _a.yaml -> _b.yaml -> _a.yaml. > Remove one of these `extends`.',
      ],
    ],
    [
      'too many parts in a row',
      {
        'p.yaml': 'name: p\nextends: _1.yaml\n',
        ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`_${at}.yaml`, `extends: _${at + 1}.yaml\n`])),
      },
      [
        '_5.yaml:1:10 More than 5 parts in a row: p.yaml -> _1.yaml -> _2.yaml -> _3.yaml -> _4.yaml -> _5.yaml -> _6.yaml. > Put some of them together.',
      ],
    ],
    [
      'a part with a name, an empty one, one that is no map',
      {
        'p.yaml': 'name: p\nextends: _n.yaml\n',
        '_n.yaml': 'name: n\nextends: _e.yaml\n',
        '_e.yaml': '',
        '_all.yaml': '[]',
      },
      [
        '_all.yaml:1:1 The part holds an empty list; expected a map. > Write keys of a pipeline in it, such as `defaults:`.',
        '_e.yaml:1:1 The part is empty. > Write keys of a pipeline in it, such as `defaults:`.',
        '_n.yaml:1:1 A part has no name. > Remove it: each pipeline has its own.',
      ],
    ],
    [
      'a broken part that nobody has',
      { 'p.yaml': 'name: p\ntasks: { a: { run: x } }\n', '_n.yaml': 'a: 1\na: 2\n' },
      ['_n.yaml:2:1 The key "a" is given twice. > Keep one of the two.'],
    ],
    [
      'what every pipeline is given cannot be changed or taken away',
      {
        'p.yaml': 'name: p\nextends: _b.yaml\ntasks: { a: { run: x } }\nfinally:\n',
        '_b.yaml': 'tasks: { audit: { run: other } }\n',
        '_all.yaml': 'finally: { audit: { run: audit } }\n',
      },
      [
        'p.yaml:4:1 _all.yaml gives every pipeline tasks under finally, which cannot be taken away. > Remove the key, or put tasks under it.',
        '_b.yaml:1:10 Task "audit" is given to every pipeline by _all.yaml and cannot be changed here. > Give this task another id.',
      ],
    ],
  ])('%s', (_what, texts, expected) => {
    expect(problemsOf(texts)).toEqual(expected);
  });
});

test('tasks under first run before every task that needs nothing, and need only each other', () => {
  const text = `name: p
paths: { data: data }
first:
  a: { run: x }
  b: { run: x, needs: [a, c] }
  d: { run: x, reads: [data] }
tasks:
  c: { run: x, writes: [data] }
`;
  expect(problemsOf({ 'p.yaml': text })).toEqual([
    'p.yaml:5:27 Task "b" under first needs "c", which runs after it. > Move one of the two.',
    'p.yaml:6:24 Task "d" under first reads "data", which "c" writes after it. > Move one of the two.',
  ]);
});
