import { expect, test } from '@jest/globals';
import { parsePipeline } from '#dag';

const HEAD = 'name: p\npaths: { a: a, b: { at: b, partition: ds } }\n';

/** Of a task `t` with these keys, among tasks that write what it does not. */
function compiled(keys: string): { io: unknown; problems: string[] } {
  const others = ['a', 'b'].filter((path) => !keys.includes(`writes: [${path}]`));
  const writers = others.map((path) => `\n  w_${path}: { run: x, writes: [${path}] }`);
  const { pipeline, problems } = parsePipeline('p.yaml', `${HEAD}tasks:\n  t: { ${keys} }${writers.join('')}`);
  return {
    io: pipeline?.tasks.find(({ id }) => id === 't')?.io,
    problems: problems.map(({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint ?? ''}`),
  };
}

test.each([
  ['run: x, writes: [a]', undefined],
  ['run: x, writes: [a], io: files', undefined],
  ['run: x, writes: [a], io: uri', 'uri'],
  ['python: m:f, writes: [a], io: uri, cache: true, matrix: { n: [1, 2] }, checks: ["outputs.n > 0"]', 'uri'],
  ['node: f.mjs#f, reads: [{ path: b, last: 3d }], io: uri, checks: [{ expr: "outputs.n > 0" }]', 'uri'],
  ['spark: n.py, reads: { other: x.a }, io: uri', 'uri'],
  ['notebook: { file: n.ipynb }, reads: { other: x.a }, io: uri', 'uri'],
  ['uses: dbt@1, writes: [a], io: uri', 'uri'],
  ['sql: "select 1", writes: [a], io: files', undefined],
])('a task { %s } has the io %s', (keys, io) => {
  expect(compiled(keys)).toEqual({ io, problems: [] });
});

const remove = 'Remove it: without it the variables hold folders.';
test.each([
  [
    'sql: "select 1", writes: [a], io: uri',
    '4:38 Task "t" has `io: uri`, and sql tasks are shut in the folders of this machine. > Remove it, or call DuckDB from `run`, `node` or `python`, with the keys that the task has as `secrets`.',
  ],
  [
    'http: { url: "https://a.example", save: a/x }, writes: [a], io: uri',
    `4:68 Task "t" has \`io: uri\`, and http writes its answer to a folder of this machine. > ${remove}`,
  ],
  [
    'notebook: { file: n.ipynb, save: a/x }, writes: [a], io: uri',
    '4:61 Task "t" has `io: uri`, and `save` writes to a folder of this machine. > Remove `save`: the notebook is kept with each attempt anyway.',
  ],
  [
    'run: x, writes: [a], io: uri, checks: [{ not_null: id }]',
    '4:29 Task "t" has `io: uri`, and checks of rows look at files of this machine. > Let the task count and say it as outputs, and check those: `checks: [outputs.bad == 0]`.',
  ],
  [
    'run: x, io: uri',
    '4:16 Task "t" has `io: uri`, and it neither reads nor writes a path. > Remove it, or add `reads:` or `writes:`.',
  ],
  [
    'wait: { path: x }, io: uri',
    '4:27 io has no meaning with wait, which executes nothing. > Move it to the task that comes next.',
  ],
  ['run: x, writes: [a], io: url', '4:33 tasks.t.io is "url"; expected files or uri. > Did you mean "uri"?'],
])('%s is refused', (keys, problem) => {
  expect(compiled(keys).problems).toEqual([problem]);
});

test.each(['io: uri', 'defaults: { io: uri }', 'paths: { a: { at: a, io: uri } }'])(
  '`%s` belongs on a task',
  (text) => {
    const { problems } = parsePipeline('p.yaml', `name: p\n${text}\ntasks: { t: { run: x } }`);
    expect(problems.map(({ message, hint }) => [message, hint])).toEqual([
      [
        expect.stringMatching(/^The key "io".* is not known\.$/),
        'It says what $PATH_<NAME> holds for one task: set it on the task.',
      ],
    ]);
  },
);
