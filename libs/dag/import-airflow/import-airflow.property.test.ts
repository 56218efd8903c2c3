import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parsePipeline } from '../parse-pipeline.ts';
import { importAirflow, type AirflowSource } from './index.ts';
import { BASE_ARGUMENTS } from './known-keys.ts';

/** Whatever stands in a file: nothing is thrown, every note has a remedy, and what is written validates. */
function holds(source: AirflowSource): void {
  const { files, pipelines, notes } = importAirflow([source]);
  for (const { path, text } of files)
    if (path.endsWith('.yaml')) expect([path, parsePipeline(path, text).problems, text]).toEqual([path, [], text]);
  expect(pipelines).toHaveLength(files.filter(({ path }) => path.endsWith('.yaml')).length);
  for (const { message, hint } of notes) {
    // The last resort, for what nobody thought of; huge numbers are nobody's fault.
    expect(message).not.toMatch(/is not written(?!.*cannot be kept exactly)/);
    expect(hint).toMatch(/\S/);
  }
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e9,
    '',
    '{{ ds }}',
    '{{ params.p }}',
    "'{{ ds }}' `{{ ts }}` $({{ run_id }}",
    '5 minutes',
    '${{ x }}',
  ),
  fc.constantFrom<unknown>(
    { __type__: 'datetime.timedelta', hours: 3 },
    { __type__: 'no.Such', a: 1 },
    ['a', 1],
    { a: { b: [null] } },
    '+t1',
    't1.output',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const name = fc.constantFrom('t1', 't2', 'T 3', 'g.t', 'in', '', 'ä', 'é-1', '__proto__x');
const operator = fc.constantFrom<unknown>(
  ...[
    'a.BashOperator',
    'PythonOperator',
    'BranchPythonOperator',
    'a.ShortCircuitOperator',
    'EmptyOperator',
    'a.FileSensor',
    'S3KeySensor',
    'ExternalTaskSensor',
    'HttpSensor',
    'TimeSensor',
    'DateTimeSensor',
    'TimeDeltaSensor',
    'HttpOperator',
    'PapermillOperator',
    'TriggerDagRunOperator',
    'SQLColumnCheckOperator',
    'airflow.decorators.task',
    7,
  ],
);
const values = fc.dictionary(
  fc.constantFrom(
    ...BASE_ARGUMENTS,
    'expand',
    'partial',
    'python_callable',
    'python_callable_name',
    'python_callable_file',
    ...'filepath bucket_key external_dag_id endpoint method data headers http_conn_id target_time delta poke_interval'.split(
      ' ',
    ),
    ...'timeout soft_fail input_nb parameters trigger_dag_id conf column_mapping'.split(' '),
    'other',
  ),
  odd,
  { maxKeys: 6 },
);
const task = fc
  .tuple(operator, fc.boolean(), values, fc.array(name, { maxLength: 3 }), fc.option(name))
  .map(([kind, decorated, args, dependencies, group]): Record<string, unknown> => ({
    [decorated ? 'decorator' : 'operator']: kind,
    dependencies,
    bash_command: 'echo {{ ds }}',
    ...(group === null ? {} : { task_group_name: group }),
    ...args,
  }));
const dag = fc.record(
  {
    tasks: fc.oneof(fc.dictionary(name, task, { maxKeys: 6 }), odd),
    task_groups: fc.oneof(
      fc.dictionary(name, fc.record({ dependencies: fc.array(name), parent_group_name: name }, { requiredKeys: [] })),
      odd,
    ),
    default_args: fc.oneof(values, odd),
    ...Object.fromEntries(
      'schedule schedule_interval start_date end_date timezone catchup params max_active_runs max_active_tasks dagrun_timeout tags description doc_md on_failure_callback sla unheard_of'
        .split(' ')
        .map((key) => [key, odd]),
    ),
  },
  { requiredKeys: ['tasks'] },
);

test('any dag-factory file', () => {
  const file = fc.dictionary(
    fc.constantFrom('a', 'B c', 'default', 'x-y'),
    fc.oneof({ weight: 5, arbitrary: dag }, { weight: 1, arbitrary: odd }),
  );
  fc.assert(
    fc.property(file, (content) => holds({ file: 'any.yaml', text: stringify(content) })),
    { numRuns: 150 },
  );
}, 60_000);

/** Every second task, mapped over what the first of them is. */
function groupOf(tasks: readonly (readonly [string, { readonly expand?: unknown }])[]) {
  const members = tasks.filter((_, index) => index % 2 === 0).map(([id]) => [id, ['operator', id]] as const);
  return {
    children: Object.fromEntries(members),
    expand_input: { type: 'dict-of-lists', value: { __type: 'dict', __var: tasks[0]?.[1].expand } },
  };
}

test('any serialized DAG', () => {
  const serialized = fc.tuple(fc.dictionary(name, task, { maxKeys: 5 }), dag, odd).map(([tasks, rest, timetable]) => ({
    __version: 3,
    dag: {
      ...rest,
      dag_id: 'x',
      timetable: { __type: 'a.CronTriggerTimetable', __var: timetable },
      task_group: {
        children: { g: ['taskgroup', { _group_id: 'g', is_mapped: true, ...groupOf(Object.entries(tasks)) }] },
      },
      tasks: Object.entries(tasks).map(([id, { dependencies, operator: kind, ...args }]) => ({
        __type: 'operator',
        __var: {
          ...args,
          task_id: id,
          task_type: kind,
          downstream_task_ids: dependencies,
          _is_mapped: args.expand !== undefined,
          expand_input: { type: 'dict-of-lists', value: args.expand },
        },
      })),
    },
  }));
  fc.assert(
    fc.property(serialized, (content) => holds({ file: 'any.json', text: JSON.stringify(content) })),
    { numRuns: 100 },
  );
}, 60_000);

/** An object that `String` cannot make a text of: a map of a file may have any member. */
const mute = { toString: [], valueOf: 1 };

test.each([
  'dag_id schedule schedule_interval timetable start_date end_date timezone catchup params tags sla on_failure_callback tasks task_groups',
  'task_id operator decorator trigger_rule pool retries retry_delay execution_timeout start_date env cwd bash_command python_callable',
  'task_type _task_type _operator_name _expand_input_attr downstream_task_ids expand dependencies task_group_name on_failure_callback',
])('what cannot be made a text is reported like anything else: %s', (keys) => {
  for (const key of keys.split(' '))
    for (const value of [
      mute,
      [mute],
      { callback: mute },
      { __join__: [mute] },
      { __type: mute },
      { __type__: 'datetime.datetime', year: mute },
      { __type: 'timedelta', __var: mute },
    ]) {
      const task = { operator: 'a.BashOperator', bash_command: 'x', [key]: value };
      const dag = { dag_id: 'x', tasks: { t: task }, [key]: value };
      holds({ file: 'any.yaml', text: stringify({ d: dag, e: { tasks: { t: task } } }) });
      const inner = { task_type: 'BashOperator', task_id: 't', bash_command: 'x', _is_mapped: true, [key]: value };
      const serialized = {
        ...dag,
        tasks: [{ __type: 'operator', __var: inner }],
        timetable: { __type: value, __var: {} },
      };
      holds({ file: 'any.json', text: JSON.stringify({ __version: 3, dag: serialized }) });
    }
});

test('any text', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('any.yaml', 'any.json'), (text, file) => holds({ file, text })),
    { numRuns: 100 },
  );
});
