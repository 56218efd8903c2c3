import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parsePipeline } from '../parse-pipeline.ts';
import { importAirflow, type ImportedAirflow } from './index.ts';

const fixture = (file: string): string => readFileSync(new URL(`fixtures/${file}`, import.meta.url), 'utf8');

function textOf(result: ImportedAirflow, path: string): string {
  return result.files.find((file) => file.path === path)?.text ?? '';
}

interface Pipeline {
  readonly groups: Readonly<Record<string, object>>;
  readonly tasks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly finally?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Exported {
  readonly task_id: string;
  readonly [key: string]: unknown;
}

/** A DAG of these tasks, those whose ids begin with `g.` in a group mapped over `x`; valid, with what was said about it. */
function imported(over: unknown, ...tasks: Exported[]): { pipeline: Pipeline; notes: string[] } {
  const members = tasks
    .filter(({ task_id: id }) => id.startsWith('g.'))
    .map(({ task_id: id }) => [id, ['operator', id]]);
  const group = {
    ...{
      _group_id: 'g',
      is_mapped: true,
      expand_input: { type: 'dict-of-lists', value: { __type: 'dict', __var: over } },
    },
    children: Object.fromEntries(members) as object,
  };
  const dag = {
    dag_id: 'd',
    task_group: { _group_id: null, children: { g: ['taskgroup', group] } },
    tasks: tasks.map((task) => ({
      __type: 'operator',
      __var: {
        task_type: 'BashOperator',
        bash_command: 'true',
        template_fields: ['bash_command', 'env', 'op_args'],
        ...task,
      },
    })),
  };
  const result = importAirflow([{ file: 'd.json', text: JSON.stringify({ __version: 3, dag }) }]);
  const text = textOf(result, 'd.yaml');
  expect(parsePipeline('d.yaml', text).problems).toEqual([]);
  const notes = result.notes.map(({ kind, message }) => `${kind}: ${message}`);
  return { pipeline: parse(text) as Pipeline, notes: notes.filter((note) => !note.includes('has no schedule')) };
}

const argument = (key: string): string =>
  `MappedArgument(_input=DictOfListsExpandInput(value={'x': [1]}), _key='${key}')`;

function exported(version: string): ImportedAirflow {
  const file = `mapped-airflow-${version}.json`;
  return importAirflow([{ file, text: fixture(file) }]);
}

describe('a mapped group', () => {
  test('of an export of Airflow is a group with a matrix, item by item as there', () => {
    const result = exported('3.1');
    const text = textOf(result, 'mapped.yaml');
    expect(parsePipeline('mapped.yaml', text).problems).toEqual([]);
    expect(text.slice(text.indexOf('name: '))).toMatchSnapshot('pipeline');
    const calls = textOf(result, 'mapped/tasks.py').match(/^ {4}return (value|branch)\(call\(.*$/gm);
    expect(calls?.map((line) => line.trim())).toMatchSnapshot('calls');
    const said = result.notes.filter(({ message }) => !message.startsWith('The code of'));
    expect(said.map(({ kind, message }) => `${kind}: ${message}`)).toMatchSnapshot('notes');
    const { groups, tasks } = parse(textOf(exported('2.10'), 'mapped.yaml')) as Pipeline;
    expect(parse(text)).toMatchObject({ groups, tasks });
  });

  test('may hold a mapped operator, which fans out again for each item under names of its own', () => {
    const expand_input = { type: 'dict-of-lists', value: { __type: 'dict', __var: { bash_command: ['a', 'b'] } } };
    const again = { _is_mapped: true, expand_input, _expand_input_attr: 'expand_input' };
    const pulls = "echo {{ ti.xcom_pull(task_ids='g.more') }}";
    const { pipeline, notes } = imported(
      { bash_command: ['x', 'y'] },
      { task_id: 'g.more', ...again, downstream_task_ids: ['g.one', 'after'], partial_kwargs: {} },
      { task_id: 'g.one', bash_command: pulls },
      { task_id: 'after', bash_command: pulls },
    );
    expect(pipeline).toMatchObject({
      groups: { g: { matrix: { bash_command: ['x', 'y'] } } },
      tasks: {
        g_more: {
          group: 'g',
          matrix: { bash_command_x: ['a', 'b'] },
          env: { AIRFLOW_COMMAND: '${{ matrix.bash_command_x }}' },
        },
        g_one: { group: 'g', run: 'echo ${{ tasks.g_more.outputs.map(one, one.return_value) }}' },
        after: { run: 'echo ${{ tasks.g_more.outputs.map(item, item.map(one, one.return_value)) }}' },
      },
    });
    expect(notes.filter((note) => note.startsWith('lost'))).toEqual([]);
  });

  test('whose tasks another one stands between, or that ends with a teardown, is written by hand as far as that goes', () => {
    const left = imported(
      { x: [1] },
      { task_id: 'g.a', downstream_task_ids: ['z'] },
      { task_id: 'z', downstream_task_ids: ['g.b'] },
      { task_id: 'g.b' },
    );
    expect(left.pipeline.groups).toEqual({ g: {} });
    expect(left.notes).toContain(
      'lost: Task "g.a" is not carried over: its group "g" is mapped as a whole, and "z" stands between its tasks. It fails until you write it.',
    );
    const torn = imported(
      { x: [1] },
      { task_id: 'g.a', downstream_task_ids: ['g.b'] },
      { task_id: 'g.b', is_teardown: true },
    );
    expect(torn.pipeline.groups).toEqual({ g: { matrix: { x: [1] } } });
    expect(torn.pipeline.finally?.g_b).toMatchObject({ run: expect.stringContaining('it is a teardown') });
  });

  test.each([
    [{ x: [] }, '"x" is mapped over an empty list'],
    [
      { x: { __type: 'xcomref', __var: { task_id: 'nobody' } } },
      'it is mapped over the output of a task that is not before it',
    ],
    [{ x: ['{{ ds }}'] }, '"x" is mapped over values with templates or Python in them'],
  ])('over %j is reported task by task', (over, why) => {
    expect(imported(over, { task_id: 'g.a' }).notes).toContain(
      `lost: Task "g.a" is not carried over: its group "g" is mapped as a whole, and ${why}. It fails until you write it.`,
    );
  });

  test('gives its argument to a command, to variables, to Python and to a request', () => {
    const { pipeline, notes } = imported(
      { x: [1] },
      { task_id: 'g.whole', bash_command: argument('x') },
      { task_id: 'g.env', env: `{'X': ${argument('x')}, 'Y': 'y'}` },
      { task_id: 'g.unknown', env: `{'X': ${argument('other')}}` },
    );
    expect(pipeline.tasks).toMatchObject({
      g_whole: { run: 'bash -c "$AIRFLOW_COMMAND"', env: { AIRFLOW_COMMAND: '${{ matrix.x }}' } },
      g_env: { env: { X: '${{ matrix.x }}', Y: 'y' } },
    });
    expect(notes).toEqual([expect.stringContaining('The variable X of task "g.unknown"')]);
  });
});
