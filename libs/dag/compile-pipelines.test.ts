import { describe, expect, test } from '@jest/globals';
import { compilePipelines } from './index.ts';

const writer = (name: string, more = ''): { file: string; text: string } => ({
  file: `${name}.yaml`,
  text: `name: ${name}\npaths: { data: { at: data, partition: ds } }\ntasks: { make: { run: x, writes: [data] } }\n${more}`,
});
const reader = (reads: string): { file: string; text: string } => ({
  file: 'reader.yaml',
  text: `name: reader\ntasks:\n  use: { run: x, reads: ${reads} }\n`,
});

function shown(...args: Parameters<typeof compilePipelines>): { names: string[]; problems: string[] } {
  const { pipelines, problems } = compilePipelines(...args);
  return {
    names: pipelines.map(({ name }) => name),
    problems: [...problems.values()]
      .flat()
      .map(({ file, line, column, message, hint }) => `${file}:${line}:${column} ${message} > ${hint}`),
  };
}

describe('rules between files', () => {
  test('a reader and its writer are fine together', () => {
    const both = [reader('{ a: writer.data, b: { path: writer.data, last: 3d } }'), writer('writer')];
    expect(shown(both)).toEqual({ names: ['reader', 'writer'], problems: [] });
  });

  test.each([
    [
      '{ a: writr.data }',
      'reader.yaml:3:30 Task "use" reads "writr.data", but there is no pipeline "writr". > Did you mean "writer"?',
    ],
    [
      '[writer.dta]',
      'reader.yaml:3:26 Task "use" reads "writer.dta", but writer.yaml declares no such path. > Did you mean "data"?',
    ],
    [
      '[{ path: plain.data, last: 3d }]',
      'reader.yaml:3:26 Task "use" reads a window of "plain.data", which has no partitions. > Declare it in plain.yaml as { at: …, partition: ds }.',
    ],
  ])('reads: %s', (reads, problem) => {
    const plain = {
      file: 'plain.yaml',
      text: 'name: plain\npaths: { data: data }\ntasks: { make: { run: x, writes: [data] } }\n',
    };
    expect(shown([reader(reads), writer('writer'), plain])).toEqual({
      names: ['plain', 'writer'],
      problems: [problem],
    });
  });

  test('YAML of a dbt project, and below a folder whose name begins with _, is none of ours', () => {
    const foreign = ['_conf/a.yaml', 'ml/_conf/deep/a.yaml', 'ml/shop/dbt_project.yml', 'ml/shop/models/schema.yml'];
    const files = foreign.map((file) => ({ file, text: 'version: 2' }));
    const own = { file: 'ml/shop.yaml', text: 'name: shop\ntasks: { a: { run: x } }' };
    const { pipelines, problems } = compilePipelines([...files, own]);
    expect([pipelines.map(({ name }) => name), [...problems.keys()]]).toEqual([['shop'], []]);
    const ours = [
      ...files.slice(0, 2),
      { file: 'dbt_project.yml', text: '' },
      { file: 'ml/shop/x.yml', text: '' },
      own,
    ];
    expect([...compilePipelines(ours).problems.keys()].sort()).toEqual(['dbt_project.yml', 'ml/shop/x.yml']);
  });

  describe('triggers', () => {
    const triggered = (name: string, schedule: string, more = ''): { file: string; text: string } => ({
      file: `${name}.yaml`,
      text: `name: ${name}\nschedule: ${schedule}\npaths: { out: out }\ntasks: { make: { run: x, writes: [out] } }\n${more}`,
    });

    test.each([
      [
        '{ datasets: { any: [writer.data, { all: [writr.data] }] } }',
        'a.yaml:2:23 schedule.datasets names "writr.data", but there is no pipeline "writr". > Did you mean "writer"?',
      ],
      [
        '{ datasets: writer.dta }',
        'a.yaml:2:23 schedule.datasets names "writer.dta", but writer.yaml declares no such path. > Did you mean "data"?',
      ],
      [
        '{ after: [b, { pipeline: writr, on: any }] }',
        'a.yaml:2:20 schedule.after names "writr", but there is no such pipeline. > Did you mean "writer"?',
      ],
    ])('%s', (schedule, problem) => {
      const files = [triggered('a', schedule), triggered('b', 'manual'), writer('writer')];
      expect(shown(files)).toEqual({ names: ['b', 'writer'], problems: [problem] });
    });

    test('pipelines that start each other in a round are refused, in an overlay too; a broken one is left alone', () => {
      const round = [
        triggered('a', '{ after: c }'),
        triggered('b', '{ datasets: a.out, every: 1h }'),
        triggered('c', 'manual', 'environments: { prod: { schedule: { after: [b, d] } } }'),
        triggered('d', '{ after: [unwell] }'),
        { file: 'unwell.yaml', text: 'name: unwell\nschedule: { after: d }' },
      ];
      const { names, problems } = shown(round);
      expect(names).toEqual(['b', 'c', 'd']);
      expect(problems[0]).toBe(
        'a.yaml:2:1 Pipelines start each other in a round: a → b → c → a. > Start one of them by time, by an event or by hand.',
      );
      expect(shown(round.slice(1, 4).concat(triggered('a', 'manual'))).names).toEqual(['a', 'b', 'c']);
    });
  });

  test('the second file with a name is refused, whatever the order they come in', () => {
    const twin = { ...writer('writer'), file: 'z/twin.yaml' };
    const expected = {
      names: ['writer'],
      problems: ['z/twin.yaml:1:7 The name "writer" is taken by writer.yaml. > Give each pipeline a name of its own.'],
    };
    expect(shown([twin, writer('writer')])).toEqual(expected);
    expect(shown([writer('writer'), twin])).toEqual(expected);
  });

  test('a broken file takes nothing away: neither its name from a good one, nor its readers', () => {
    const broken = { file: 'a.yaml', text: 'name: writer\ntasks: { x: {} }\n' };
    const { names, problems } = shown([
      broken,
      writer('writer'),
      reader('[unwell.data]'),
      { file: 'unwell.yaml', text: '[' },
    ]);
    expect(names).toEqual(['reader', 'writer']);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['a.yaml', 'unwell.yaml']);
  });

  test('one broken and ten good files: ten pipelines', () => {
    const good = Array.from({ length: 10 }, (_, index) => writer(`good-${index}`));
    const { names, problems } = shown([...good.slice(0, 5), { file: 'bad.yaml', text: 'name: [' }, ...good.slice(5)]);
    expect(names).toHaveLength(10);
    expect(problems).toHaveLength(1);
  });

  test('files that tasks name exist', () => {
    const text =
      'name: p\ntasks:\n  a: { node: "lib/train.ts#run" }\n  b: { sql: lib/q.sql }\n  c: { python: "mod.x:f" }\n  s: { spark: { file: lib/j.py, py_files: [lib/z.zip] } }\nfinally:\n  d: { python: lib/tidy.py }\n';
    const files = [{ file: 'p.yaml', text }];
    expect(shown(files, new Set(['lib/train.mts', 'lib/q.sql', 'lib/j.py'])).problems).toEqual([
      'p.yaml:3:14 Task "a" names the file "lib/train.ts", which does not exist below dags/. > Did you mean "lib/train.mts"?',
      'p.yaml:6:15 Task "s" names the file "lib/z.zip", which does not exist below dags/. > Create it, or correct the path.',
      'p.yaml:8:16 Task "d" names the file "lib/tidy.py", which does not exist below dags/. > Create it, or correct the path.',
    ]);
    expect(
      shown(files, new Set(['lib/train.ts', 'lib/q.sql', 'lib/j.py', 'lib/z.zip', 'lib/tidy.py'])).problems,
    ).toEqual([]);
    expect(shown(files).problems).toEqual([]);
  });

  test('files that a cached result depends on exist', () => {
    const text =
      'name: p\ndefaults: { cache: { files: [lib/*] } }\ntasks:\n  a: { run: x }\n  b: { run: x, cache: { files: [bin/*] } }\n';
    const files = [{ file: 'p.yaml', text }];
    expect(shown(files, new Set(['lib/a/b.ts'])).problems).toEqual([
      'p.yaml:5:23 The result of task "b" depends on the files "bin/*", but none below dags/ is called so. > Create one, or correct the path.',
    ]);
    expect(shown(files, new Set(['bin/a', 'p.yaml'])).problems).toEqual([
      'p.yaml:2:20 The result of task "a" depends on the files "lib/*", but none below dags/ is called so. > Create one, or correct the path.',
    ]);
  });

  test('a shared path lies in no other pipeline', () => {
    const text =
      'name: sharer\npaths: { all: { at: writer/data, shared: true } }\ntasks: { make: { run: x, writes: [all] } }\n';
    expect(shown([writer('writer'), { file: 'sharer.yaml', text }]).problems).toEqual([
      'sharer.yaml:2:15 The shared path "all" lies in the folder of pipeline "writer". > Choose a folder that is not the name of a pipeline.',
    ]);
  });
});
