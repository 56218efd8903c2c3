import { describe, expect, test } from '@jest/globals';
import { compilePipelines, inputFaults, parsePlugin } from '../index.ts';

const MANIFEST = `name: greet
version: 1.2.3
entry: plugin.mjs
network: true
with:
  type: object
  additionalProperties: false
  required: [who]
  properties:
    who: { type: string, minLength: 2 }
    tone: { enum: [warm, cool] }
    times: { type: integer }
`;
const KNOWN = new Set(['plugins/greet/plugin.mjs']);

/** `file:line:column message > hint` of each problem with `task` in a pipeline beside the plugin. */
function problemsOf(task: string, manifest = MANIFEST, known = KNOWN): string[] {
  const files = [
    { file: 'p.yaml', text: `name: p\nparams: { n: { type: number, default: 1 } }\ntasks: { a: ${task} }\n` },
    { file: 'plugins/greet/plugin.yaml', text: manifest },
    { file: 'plugins/greet/data.yaml', text: 'not: a pipeline' },
  ];
  return [...compilePipelines(files, known).problems.values()]
    .flat()
    .map(({ file, line, column, message, hint }) => `${file}:${line}:${column} ${message} > ${hint}`);
}

describe('uses', () => {
  test('takes what the plugin of the release says; YAML of a plugin is no pipeline', () => {
    const files = [
      {
        file: 'p.yaml',
        text: 'name: p\ntasks: { a: { uses: greet@1.2, with: { who: "${{ env.name }}", times: "${{ 3 }}" } } }',
      },
      { file: 'plugins/greet/plugin.yaml', text: MANIFEST },
      { file: 'plugins/greet/data.yaml', text: 'not: a pipeline' },
      { file: 'plugins/loose.yaml', text: 'name: loose\ntasks: { a: { run: x } }' },
    ];
    const { pipelines, problems } = compilePipelines(files, KNOWN);
    expect([[...problems.keys()], pipelines.map(({ name }) => name)]).toEqual([[], ['loose', 'p']]);
    expect(pipelines[1]?.tasks[0]).toMatchObject({
      network: true,
      body: {
        ...{ kind: 'uses', plugin: 'greet', wanted: '1.2', with: { who: '${{ env.name }}' } },
        found: { name: 'greet', version: '1.2.3', package: null, entry: 'plugin.mjs' },
      },
    });
  });

  test.each<[string, string[]]>([
    [
      '{ uses: gret@1, with: { who: you } }',
      ['p.yaml:3:21 Task "a" uses the plugin "gret", which is not in dags/plugins. > Did you mean "greet"?'],
    ],
    [
      '{ uses: other@1 }',
      [
        'p.yaml:3:21 Task "a" uses the plugin "other", which is not in dags/plugins. > Add it: `sluice plugins add other`, or write dags/plugins/other/plugin.yaml.',
      ],
    ],
    [
      '{ uses: greet@2, with: { who: you } }',
      [
        'p.yaml:3:21 Task "a" uses greet@2, but dags/plugins/greet/plugin.yaml is version 1.2.3. > Write greet@1.2.3, or put the other version there.',
      ],
    ],
    [
      '{ uses: greet@1, with: { who: you }, cache: true }',
      [
        'p.yaml:3:50 Task "a" has a cache, and greet reads from elsewhere: nothing tells whether that has changed. > Remove it.',
      ],
    ],
    ['{ uses: greet@1 }', ['p.yaml:3:21 with has no "who". > Add `who: …`.']],
    [
      '{ uses: greet@1, with: { who: a, ton: warm, times: x } }',
      [
        'p.yaml:3:43 with.who is "a"; it must NOT have fewer than 2 characters. > Write what the plugin takes: `sluice plugins list`.',
        'p.yaml:3:46 The key "ton" in with is not known. > Did you mean "tone"?',
        'p.yaml:3:64 with.times is "x"; it must be integer. > Write what the plugin takes: `sluice plugins list`.',
      ],
    ],
    [
      '{ uses: greet@1, with: { who: "${{ nope }}", tone: warn } }',
      ['p.yaml:3:48 The name "nope" is not known in an expression. > Known names: '],
    ],
    [
      '{ uses: greet@1, with: { who: you, tone: warn } }',
      ['p.yaml:3:54 with.tone is "warn"; expected one of warm, cool. > Did you mean "warm"?'],
    ],
    ['{ run: x, with: { who: you } }', ['p.yaml:3:23 with has no meaning with run. > Use `env:`, or `uses: name@1`.']],
  ])('%s', (task, expected) => {
    const found = problemsOf(task);
    expect(found.map((text, index) => text.slice(0, expected[index]?.length ?? text.length))).toEqual(expected);
  });

  test.each([
    '../x@1',
    '/abs@1',
    'a/../b@1',
    'A@1',
    'greet',
    'greet@latest',
    'greet@1.2.3.4',
    '@acme/x@1',
    'greet@1\n',
    '$(id)@1',
  ])('%s is no plugin', (uses) => {
    expect(problemsOf(`{ uses: ${JSON.stringify(uses)}, with: { who: you } }`)).toEqual([
      expect.stringContaining(
        'expected a plugin and its version: name@1, name@1.2 or name@1.2.3. > For example: dbt@1.',
      ),
    ]);
  });

  test('values are judged again when they are known', () => {
    const { plugin } = parsePlugin('plugins/greet/plugin.yaml', MANIFEST);
    expect(inputFaults(plugin!.input, { who: 'you', times: 3 })).toEqual([]);
    expect(inputFaults(plugin!.input, { who: 'you', times: 'x' }).map(({ message }) => message)).toEqual([
      'with.times is "x"; it must be integer.',
    ]);
  });
});

describe('plugin.yaml', () => {
  const change = (from: string, to: string): string => MANIFEST.replace(from, to);
  test.each<[string, string, string]>([
    ['another name', change('name: greet', 'name: hello'), 'name: Name both alike.'],
    ['code elsewhere', change('plugin.mjs', '../x.mjs'), 'entry'],
    ['code at an absolute place', change('plugin.mjs', '/x.mjs'), 'entry'],
    ['code that is not there', change('plugin.mjs', 'other.mjs'), 'does not exist in dags/plugins/greet'],
    ['a package that is a path', change('entry:', 'package: ../x\nentry:'), 'the name of an npm package'],
    ['a version that is none', change('1.2.3', 'latest'), 'a version of three numbers'],
    ['a schema with a typo', change('minLength', 'minLenght'), 'no JSON Schema that can be used'],
    ['a schema of no map', change('type: object', 'type: string'), 'no JSON Schema that can be used'],
    ['a key that is none', change('network', 'netwrk'), 'Did you mean "network"?'],
  ])('%s', (_title, manifest, part) => {
    const problems = problemsOf('{ uses: greet@1, with: { who: you } }', manifest);
    expect(problems.some((text) => text.startsWith('plugins/greet/plugin.yaml:'))).toBe(true);
    expect(problems.join('\n')).toContain(part.replace('name: ', ''));
    expect(problems.join('\n')).toContain('whose file has problems');
  });
});
