import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parsePipeline } from './index.ts';

/** CPU time that refusing one file may take; wall time would measure the neighbours. */
const MOST_MS = 200;

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Uses most keys; valid as it is. */
const BASE: { [key: string]: Json } = {
  name: 'base',
  description: 'text',
  owner: 'team',
  tags: ['a'],
  schedule: {
    cron: '0 1 * * *',
    timezone: 'Europe/Berlin',
    start: '2026-01-01',
    end: '2026-12-31',
    catchup: { max_age: '3d' },
  },
  max_active_runs: 2,
  max_active_tasks: 4,
  overlap: 'queue',
  run_timeout: '2h',
  deadline: '1h',
  params: { rate: { type: 'number', default: 0.5, minimum: 0, maximum: 1 } },
  paths: { raw: 'raw/${{ ds }}', clean: { at: 'clean', shared: false, partition: 'ds' } },
  env: { LEVEL: 'info' },
  defaults: { retries: 1, timeout: '10m', pool: 'small', slots: 1, priority: 3 },
  tasks: {
    load: {
      run: 'echo ${{ params.rate }}',
      writes: ['raw'],
      retries: { max: 2, delay: '1s', backoff: 2, max_delay: '1m', jitter: 0.5, on: [1, 'timeout'] },
      secrets: ['TOKEN'],
      env: { MODE: 'fast' },
    },
    clean: {
      node: 'a/clean.ts#clean',
      reads: [{ path: 'raw', missing: 'fail' }],
      writes: ['clean'],
      needs: ['load'],
      when: 'all_success',
      if: 'params.rate > 0.1',
      matrix: { part: [1, 2] },
      max_parallel: 2,
      max_fanout: 10,
      timeout: '5m',
      pool: 'big',
      slots: 2,
      priority: 1,
      catch: false,
      metrics: ['auc'],
      checks: [{ name: 'rows', expr: 'outputs.rows > 0', on_fail: 'warn' }],
      gate: { expr: 'metrics.auc > 0.5', on_fail: 'fail' },
    },
    report: { python: 'a/report.py:main', reads: { clean: 'clean' } },
    query: { sql: 'a/q.sql', reads: ['clean'] },
  },
  finally: { tidy: { run: 'echo done' } },
  alerts: [{ on: ['run.failed'], to: ['slack:#alerts', 'email:a@example.com'] }],
  environments: { dev: { schedule: 'manual', paused: true, params: { rate: 1 }, pool: 'dev', alerts: [] } },
};

const TEXT: Json[] = [3, true, null, ['a'], { a: 1 }];
const NAME: Json[] = [
  ...TEXT.slice(0, 4),
  '',
  'Upper',
  'a b',
  'ä',
  '../a',
  'a/b',
  '-a',
  '$(touch x)',
  'a'.repeat(10_000),
  'a\u202eb',
];
const COUNT: Json[] = ['2', -1, 1.5, 1e12, null, [], {}, true];
const DURATION: Json[] = [30, '', '10', '10 minutes', '1.5h', '-5m', '0s', '99999d', '5m5m', 'PT', null, [], {}];
const MAP: Json[] = ['x', 3, true, ['a']];
const LIST: Json[] = ['x y', 3, true, { a: 1 }];
const EXPRESSION: Json[] = [
  '',
  3,
  'a ==',
  'nope',
  'params.nope > 1',
  'params.rate',
  'params.rate > "a"',
  'tasks.nope.state == "x"',
  '$(touch x)',
  'params.rate = 1',
  '[].map(a, [].map(b, [].map(c, c)))',
  '('.repeat(500),
  'cel.bind(a, 1, a == 1)',
  '`id`',
  '"open',
  'params.constructor.constructor("x")()',
];

/** Values that must be refused, by place. */
const BAD: Readonly<Record<string, readonly Json[]>> = {
  name: NAME,
  description: TEXT,
  owner: TEXT,
  tags: [...LIST, [1], [''], [null]],
  schedule: [
    'manuel',
    'x',
    '60 * * * *',
    '* * *',
    '@dayly',
    3,
    [],
    {},
    { cron: '0 0 * * *', every: '1h' },
    { at: ['2026-01-01'] },
    { datasets: 'x' },
    { events: ['a'] },
    '$(touch x)',
  ],
  'schedule.cron': [
    '* * * * * *',
    '0 24 * * *',
    '0 0 30 2 *',
    '0 0 31 4 *',
    '*/0 * * * *',
    '*/90 * * * *',
    '0 0 0 * *',
    '0 0 * 13 *',
    '0 0 * * 9',
    '1-0 * * * *',
    'a * * * *',
    'H * * * *',
    '5,5 * * * *',
    '',
    3,
    ['0 1 * * *'],
    '@once',
    '0 1 * * * ; rm -rf /',
    '1/2/3 * * * *',
    '-1 * * * *',
    '1-2-3 * * * *',
    '0 0 * * 1#9',
  ],
  'schedule.timezone': ['Europe/Berln', '+01:00', 'Mars', '', 3, '../etc/passwd', 'CEST '],
  'schedule.start': [
    '2026-02-30',
    '2026-13-01',
    'yesterday',
    '1960-01-01',
    '2026-01-01T25:00',
    '2026-01-01T00:00Z',
    3,
    '2027-01-01',
  ],
  'schedule.end': ['2026-02-30', '2025-01-01', '', null],
  'schedule.catchup': ['yes', 3, { max_age: '0s' }, { max_age: 3 }, { order: 'random' }, { maxage: '3d' }],
  'schedule.run': ['at_start', 'x'],
  'schedule.window': ['1h'],
  max_active_runs: [...COUNT, 0],
  max_active_tasks: [...COUNT, 0],
  overlap: ['wait', 3, null, 'Queue'],
  run_timeout: DURATION,
  deadline: DURATION,
  params: [...MAP, { 'a-b': {} }, { A: {} }],
  'params.rate': [
    'x',
    3,
    [],
    { type: 'float' },
    { type: 'number', default: 'a' },
    { type: 'number', default: 2, maximum: 1 },
    { type: 'string', pattern: '(' },
    { typ: 'number' },
    { type: 'string', minLength: 'x' },
    { type: 'array', items: 3 },
    { enum: [] },
    { type: 'integer', default: 1.5 },
    { type: 'string', enum: ['a'], default: 'b' },
  ],
  paths: [...MAP, { 'a-b': 'x' }],
  'paths.raw': [
    '',
    '/abs',
    '../up',
    'a/../b',
    'a//b',
    './a',
    'C:\\x',
    's3://bucket',
    'a b',
    'a;b',
    '$(touch x)',
    '`id`',
    'a\\b',
    '.sluice/x',
    '_sluice.json',
    '${{ nope }}',
    '${{ tasks.load.outputs.x }}',
    '${{ ds',
    'clean',
    'clean/x',
    3,
    null,
    { at: 'x', partition: 'hour' },
    { at: 'x', io: 'uri' },
    { shared: true },
    'a'.repeat(300),
  ],
  env: [
    ...MAP,
    { 'A-B': 'x' },
    { '1A': 'x' },
    { PATH_X: 'x' },
    { SLUICE_X: 'x' },
    { PARAM_X: 'x' },
    { DS: 'x' },
    { __E1: 'x' },
    { A: [] },
    { A: null },
    { A: '${{ nope }}' },
    { 'A=B': 'x' },
    { LD_PRELOAD: 'x' },
  ],
  defaults: [...MAP, { retrys: 1 }, { run: 'x' }],
  tasks: [
    ...MAP,
    {},
    null,
    { 'a-b': { run: 'x' } },
    { A: { run: 'x' } },
    { '': { run: 'x' } },
    { '1a': { run: 'x' } },
    { a: null },
    { a: 'echo' },
    { a: {} },
    { a: [] },
  ],
  'tasks.load.run': [
    '',
    3,
    null,
    ['echo'],
    "echo '${{ params.rate }}'",
    'echo `${{ params.rate }}`',
    'echo $((${{ params.rate }}))',
    '# ${{ params.rate }}',
    'cat <<E\n${{ params.rate }}\nE',
    'echo ${X:-${{ params.rate }}}',
    'python3 -c "print(${{ params.rate }})"',
    'bash -c "echo ${{ params.rate }}"',
    'eval ${{ params.rate }}',
    'echo \\${{ params.rate }}',
    'echo "${{ params.rate }}',
    'echo ${{ params.rate',
    'echo ${{ }}',
    'echo ${{ params.nope }}',
    'echo ${{ parms.rate }}',
    'echo ${{ matrix.x }}',
    'echo ${{ tasks.clean.outputs.x }}',
    'echo ${{ paths.raw }}',
    'echo ${{ run.state }}',
    'echo ${{ metrics.auc }}',
    'echo ${{ secrets.TOKEN }}',
    'echo ${{ env.HOME }}',
    '[[ ${{ params.rate }} -gt 1 ]]',
    "echo $'${{ params.rate }}'",
  ],
  'tasks.load.retries': [
    '2',
    -1,
    1.5,
    [],
    { max: -1 },
    { delay: '1s' },
    { max: 1, delay: 5 },
    { max: 1, backoff: 0 },
    { max: 1, jitter: 2 },
    { max: 1, on: ['failed'] },
    { max: 1, on: [0] },
    { max: 1, on: [] },
    { max: 1, retry_delay: '1s' },
  ],
  'tasks.load.writes': [...LIST, ['nope'], ['raw', 'raw'], [3], ['clean'], ['other.raw']],
  'tasks.load.secrets': [...LIST, ['a b'], ['1A'], ['MODE'], ['PATH_RAW'], ['$(touch x)']],
  'tasks.load.env': [{ MODE: '${{ nope.x }}' }, { 'a b': 'x' }],
  'tasks.load.needs': ['nope', 'load', 'nope_*', ['clean'], [3], 3, { a: 1 }, '', 'tidy', 'lo;ad'],
  'tasks.clean.node': [
    'a/clean.ts',
    'clean',
    '#clean',
    'a.py#x',
    '/abs.ts#x',
    '../up.ts#x',
    'a b.ts#x',
    'a.ts#x y',
    'a.ts#x;y',
    3,
    '',
    './a.ts#x',
    'a.ts#$(id)',
  ],
  'tasks.clean.when': ['always_', 'all_sucess', 3, null, ['always']],
  'tasks.clean.if': EXPRESSION.filter((value) => value !== 'tasks.nope'),
  'tasks.clean.matrix': [
    ...MAP,
    {},
    { part: [] },
    { part: 'x' },
    { part: 3 },
    { part: null },
    { 'a-b': [1] },
    { part: '${{ nope }}' },
    { part: '${{ params.rate }}' },
    { part: [1], include: [{ part: 2 }] },
    { a: [1, 2, 3, 4], b: [1, 2, 3] },
  ],
  'tasks.clean.max_parallel': [...COUNT, 0],
  'tasks.clean.max_fanout': [...COUNT, 0, 1],
  'tasks.clean.reads': [
    ...LIST.slice(0, 3),
    ['nope'],
    ['raw', 'raw'],
    [3],
    [{ path: 'nope' }],
    [{ last: '3d' }],
    [{ path: 'raw', last: '3d' }],
    [{ path: 'raw', missing: 'maybe' }],
    [{ path: 'raw', lst: '3d' }],
    { 'a-b': 'raw' },
    { x: 'a.b.c' },
    ['../raw'],
    ['$(touch x)'],
  ],
  'tasks.clean.timeout': DURATION,
  'tasks.clean.pool': NAME,
  'tasks.clean.slots': [...COUNT, 0],
  'tasks.clean.priority': ['1', 1.5, null, []],
  'tasks.clean.catch': ['yes', 1, null],
  'tasks.clean.metrics': [...LIST, ['a b'], ['a-b'], [3], ['1a']],
  'tasks.clean.checks': [
    ...LIST,
    [{}],
    [{ name: 'x' }],
    [{ expr: 'nope' }],
    [{ expr: 'true', on_fail: 'stop' }],
    ['baseline.auc > 1'],
    [3],
  ],
  'tasks.clean.gate': [
    3,
    [],
    {},
    'metrics.nope > 1',
    { expr: 'metrics.auc' },
    { expr: 'true', on_fail: 'needs_approval' },
    { expr: 'true', on_fail: 'stop' },
  ],
  'tasks.report.python': [
    'report',
    'a/report',
    '/abs.py',
    '../a.py',
    'a.py:',
    'a b.py',
    'a:b:c',
    'a.py:1x',
    3,
    '',
    'a.b',
    'a;b:c',
  ],
  'tasks.query.sql': [
    '',
    3,
    '../a.sql',
    '/a.sql',
    "select '${{ ds }}'",
    'select ${{ nope }}',
    'select "${{ ds }}"',
    'select 1 -- ${{ ds }}',
    'a;b.sql',
  ],
  finally: [
    ...MAP,
    {},
    { load: { run: 'x' } },
    { tidy: { run: 'x', when: 'always' } },
    { tidy: { run: 'x', needs: ['load'] } },
    { tidy: { run: 'x', writes: ['raw'] } },
  ],
  alerts: [
    ...LIST,
    [{}],
    [{ on: 'run.failed' }],
    [{ to: 'slack:#a' }],
    [{ on: 'run.faild', to: 'slack:#a' }],
    [{ on: 'run.failed', to: 'slack' }],
    [{ on: 'run.failed', to: 'email:x' }],
    [{ on: 'run.failed', to: 'sms:1' }],
    [{ on: 'run.failed', to: 'email:a@b.c\nBcc: x@y.z' }],
    [{ on: 'run.failed', to: 'slack:#a', when: 'x' }],
  ],
  environments: [
    ...MAP,
    { Dev: {} },
    { dev: { tasks: {} } },
    { dev: { params: { nope: 1 } } },
    { dev: { params: { rate: 2 } } },
    { dev: { schedule: { cron: 'x' } } },
    { dev: { resources: {} } },
    { dev: { paused: 'yes' } },
    { dev: { pool: 'a b' } },
  ],
};

/** Keys that belong nowhere, put into every map of the base file. */
const STRANGE_KEYS = [
  'nope',
  'depends_on',
  'retry_delay',
  'call',
  'resources',
  'cache',
  '$(touch x)',
  '${{ ds }}',
  'a'.repeat(300),
  'tаsks',
  '\u202ename',
  '',
];

const STRANGE_PLACES = [
  '',
  'schedule',
  'defaults',
  'tasks.load',
  'tasks.load.retries',
  'tasks.clean.gate',
  'environments.dev',
  'finally.tidy',
];

function withValue(path: string, value: Json): string {
  const root = structuredClone(BASE);
  const members = path.split('.');
  const last = members.pop() ?? '';
  let at: { [key: string]: Json } = root;
  for (const member of members) at = at[member] as { [key: string]: Json };
  at[last] = value;
  return stringify(root);
}

/** Texts rather than values: everything that goes wrong before there is a value. */
const TEXTS: Readonly<Record<string, string>> = {
  empty: '',
  'only a comment': '# nothing\n',
  'only null': '~\n',
  'a text': 'hello\n',
  'a list': '- a\n- b\n',
  'no name': 'tasks: { a: { run: x } }\n',
  'no tasks': 'name: a\n',
  'two documents': 'name: a\ntasks: { a: { run: x } }\n---\nname: b\n',
  'duplicate keys': 'name: a\nname: b\ntasks: { a: { run: x } }\n',
  'duplicate tasks': 'name: a\ntasks:\n  a: { run: x }\n  a: { run: y }\n',
  'a tab': 'name: a\ntasks:\n\ta: { run: x }\n',
  'an open bracket': 'name: a\ntasks: { a: { run: x }\n',
  'an open quote': 'name: "a\ntasks: { a: { run: x } }\n',
  'a bad indent': 'name: a\n  tasks: { a: { run: x } }\n',
  'a bad escape': 'name: "\\q"\ntasks: { a: { run: x } }\n',
  'a colon in a text': 'name: a\ntasks:\n  a:\n    run: echo a: b\n',
  'an unquoted expression in a flow map':
    'name: a\npaths: { raw: raw/${{ ds }} }\ntasks: { a: { run: x, writes: [raw] } }\n',
  'an unquoted expression in a flow list': 'name: a\ntasks: { a: { run: x, needs: [${{ ds }}] } }\n',
  NUL: 'name: a\0\ntasks: { a: { run: x } }\n',
  'UTF-16 little endian read as UTF-8': [...'name: a\ntasks: { a: { run: x } }\n'].join('\0'),
  'a byte order mark inside': 'name: a\n\ufefftasks: { a: { run: x } }\n',
  'replacement characters': 'name: \ufffd\ufffd\ntasks: { a: { run: x } }\n',
  'a direction override in a comment': 'name: a # \u202e txet\ntasks: { a: { run: x } }\n',
  'an escape code': 'name: a\ndescription: \u001b[31mred\ntasks: { a: { run: x } }\n',
  ['__proto__']: 'name: a\n__proto__: { polluted: true }\ntasks: { a: { run: x } }\n',
  'a __proto__ task': 'name: a\ntasks: { a: { run: x }, __proto__: { run: x } }\n',
  'a __proto__ parameter': 'name: a\nparams: { __proto__: { type: string } }\ntasks: { a: { run: x } }\n',
  'a constructor key': 'name: a\nenv: { constructor: x }\ntasks: { a: { run: x } }\n',
  'a nested prototype': 'name: a\ntasks: { a: { run: x, env: { prototype: { x: 1 } } } }\n',
  'a toString task need': 'name: a\ntasks: { a: { run: x, needs: [toString] } }\n',
  'a hasOwnProperty path': 'name: a\ntasks: { a: { run: x, reads: [hasownproperty] } }\n',
  'a tag for a function': "name: !!js/function 'function () { process.exit() }'\ntasks: { a: { run: x } }\n",
  'a python tag': 'name: a\ntasks: { a: { run: !!python/object/apply:os.system [id] } }\n',
  'a custom tag': 'name: !env NAME\ntasks: { a: { run: x } }\n',
  'a merge key': 'name: a\nx: &x { run: y }\ntasks: { a: { <<: *x } }\n',
  'an unknown alias': 'name: *nobody\ntasks: { a: { run: x } }\n',
  'an alias of itself': 'name: a\ntasks: &t { a: { run: x, env: *t } }\n',
  'a directive': '%YAML 1.1\n---\nname: a\ntasks: { a: { run: x } }\n',
  'a number as key': 'name: a\nenv: { 1: x }\ntasks: { a: { run: x } }\n',
  'a list as key': 'name: a\n? [a, b]\n: c\ntasks: { a: { run: x } }\n',
  'a huge number': 'name: a\nmax_active_runs: 123456789012345678901234567890\ntasks: { a: { run: x } }\n',
  infinity: 'name: a\nmax_active_runs: .inf\ntasks: { a: { run: x } }\n',
  'not a number': 'name: a\nmax_active_runs: .nan\ntasks: { a: { run: x } }\n',
  'a cycle of two': 'name: a\ntasks: { a: { run: x, needs: [b] }, b: { run: x, needs: [a] } }\n',
  'a cycle through a path':
    'name: a\npaths: { p: p }\ntasks: { a: { run: x, writes: [p], needs: [b] }, b: { run: x, reads: [p] } }\n',
  'a self edge': 'name: a\ntasks: { a: { run: x, needs: [a] } }\n',
  'two kinds': 'name: a\ntasks: { a: { run: x, sql: y } }\n',
  'no kind': 'name: a\ntasks: { a: { needs: [] } }\n',
  'an unwritten path': 'name: a\npaths: { p: p }\ntasks: { a: { run: x, reads: [p] } }\n',
  'two writers': 'name: a\npaths: { p: p }\ntasks: { a: { run: x, writes: [p] }, b: { run: x, writes: [p] } }\n',
  'overlapping paths':
    'name: a\npaths: { p: p, q: p/q }\ntasks: { a: { run: x, writes: [p] }, b: { run: x, writes: [q] } }\n',
  'overlapping templates':
    'name: a\npaths: { p: "p/${{ ds }}", q: p/last }\ntasks: { a: { run: x, writes: [p] }, b: { run: x, writes: [q] } }\n',
  'a secret word as expression': 'name: a\ntasks: { a: { run: "echo ${{ process.env.HOME }}" } }\n',
  '50 MB': 'x'.repeat(50 * 1024 * 1024),
  '2 MiB of comments': '# x\n'.repeat(512 * 1024),
  'a million keys': Array.from({ length: 1_000_000 }, (_, index) => `k${index}:`).join('\n'),
  'forty thousand keys': Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join('\n'),
  'ten thousand equal keys': 'k: 1\n'.repeat(10_000),
  'a megabyte of [': '['.repeat(1024 * 1024),
  'ten thousand {': '{a: '.repeat(10_000),
  'ten thousand -': '- '.repeat(10_000),
  'ten thousand ?': '? '.repeat(10_000),
  'a thousand indents': Array.from({ length: 700 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
  'a megabyte of commas': `[${','.repeat(1_000_000)}]`,
  'a megabyte of quotes': '"'.repeat(1_000_000),
  'a megabyte of !': '! '.repeat(500_000),
  'a megabyte of &': '&a '.repeat(300_000),
  'a megabyte of *': '*a '.repeat(300_000),
  'ten thousand bad escapes': 'a: "\\q"\n'.repeat(5_000),
  'ten thousand documents': '---\n'.repeat(10_000),
  'a hundred thousand line ends': '\n'.repeat(100_000),
  'an alias bomb': `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'.replace(/./g, (letter, index: number) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(', ')}]\n`)}name: z\ntasks: { a: { run: x } }\n`,
  'a cycle of eight hundred': `name: a\ntasks:\n${Array.from({ length: 800 }, (_, index) => `  t${index}: { run: x, needs: [t${(index + 1) % 800}] }`).join('\n')}\n`,
  'a 10,000 character id': `name: a\ntasks: { ${'a'.repeat(10_000)}: { run: x } }\n`,
  'a confusable id': 'name: a\ntasks: { lоad: { run: x } }\n',
  'a thousand needs of nobody': `name: a\ntasks:\n  a: { run: x, needs: [${Array.from({ length: 1_000 }, (_, index) => `n${index}`).join(', ')}] }\n`,
  'a glob of stars': `name: a\ntasks:\n  ${'a'.repeat(60)}: { run: x }\n  b: { run: x, needs: "${'*a'.repeat(500)}*b" }\n`,
};

const corpus: readonly [name: string, text: string][] = [
  ...Object.entries(TEXTS),
  ...Object.entries(BAD).flatMap(([path, values]) =>
    values.map((value): [string, string] => [
      `${path} = ${JSON.stringify(value).slice(0, 60)}`,
      withValue(path, value),
    ]),
  ),
  ...STRANGE_PLACES.flatMap((place) =>
    STRANGE_KEYS.filter((key) => !(place === 'tasks.load' && key === 'nope_')).map((key): [string, string] => [
      `key ${JSON.stringify(key).slice(0, 30)} in ${place || 'the file'}`,
      insertKey(place, key),
    ]),
  ),
];

function insertKey(place: string, key: string): string {
  const root = structuredClone(BASE);
  let at: { [key: string]: Json } = root;
  for (const member of place === '' ? [] : place.split('.')) at = at[member] as { [key: string]: Json };
  at[key] = 'x';
  return stringify(root);
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('broken files', () => {
  test('the file they are made from is fine', () => {
    expect(parsePipeline('base.yaml', stringify(BASE)).problems).toEqual([]);
  });

  test('there are more than three hundred', () => {
    expect(corpus.length).toBeGreaterThan(300);
    expect(new Set(corpus.map(([, text]) => text)).size).toBeGreaterThan(300);
  });

  test.each(corpus)('%s: refused in time, with place and remedy', (_name, text) => {
    const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    let result = parsePipeline('warm.yaml', 'name: warm');
    let took = Infinity;
    // The best of three: collecting somebody else's garbage is not the work of refusing this file.
    for (let attempt = 0; attempt < 3 && took >= MOST_MS; attempt += 1)
      took = cpuMs(() => (result = parsePipeline('broken.yaml', text)));
    expect(took).toBeLessThan(MOST_MS);
    expect(result.pipeline).toBeNull();
    expect(result.problems.length).toBeGreaterThan(0);
    const lines = text.length > 5_000_000 ? null : text.split('\n');
    for (const problem of result.problems) {
      expect(problem.file).toBe('broken.yaml');
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.column).toBeGreaterThanOrEqual(1);
      if (lines !== null) {
        expect(problem.line).toBeLessThanOrEqual(lines.length);
        expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1] ?? '').length + 2);
      }
      expect(problem.message).toMatch(/\S.*\.$/s);
      expect(problem.message.length).toBeLessThan(5_000);
      expect(problem.hint).toMatch(/\S.*[.?]$/s);
      // Nothing that could move a terminal's cursor or turn the reading direction.

      expect(problem.message + problem.hint).not.toMatch(/[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/);
    }
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('damaged files', () => {
  const text = stringify(BASE);
  const PIECES = [
    '',
    '\n',
    '  ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!x ',
    '|',
    '${{',
    '}}',
    ' ${{ ds }}',
    '\t',
    '\0',
    '?',
    '%',
    '---\n',
    '0',
    '$(',
    'é',
    '\ud800',
  ];
  const edit = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(12),
    insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6, unit: 'binary' })),
  });

  test('any edits of a good file end in a pipeline or in problems with places, never in an exception or a long wait', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let damaged = text;
        for (const { at, remove, insert } of edits)
          damaged = damaged.slice(0, at) + insert + damaged.slice(at + remove);
        let took = Infinity;
        let result = parsePipeline('warm.yaml', '');
        for (let attempt = 0; attempt < 3 && took >= MOST_MS; attempt += 1)
          took = cpuMs(() => (result = parsePipeline('damaged.yaml', damaged)));
        expect(took).toBeLessThan(MOST_MS);
        expect(result.pipeline === null).toBe(result.problems.length > 0);
        const lines = damaged.split('\n').length;
        for (const { line, column, hint } of result.problems) {
          expect(line >= 1 && line <= lines && column >= 1).toBe(true);
          expect(hint).toMatch(/\S/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
