import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { compilePipelines } from '../compile-pipelines.ts';
import { parsePipeline } from '../parse-pipeline.ts';
import { importAirflow, type AirflowVersion, type ImportedAirflow } from './index.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const imported = (file: string): ImportedAirflow => importAirflow([{ file, text: fixture(file) }]);
const textOf = (result: ImportedAirflow, path: string): string =>
  result.files.find((file) => file.path === path)?.text ??
  `no ${path} among ${result.files.map((file) => file.path).join(', ')}`;

/** One DAG of a dag-factory file with the tasks given. */
function factory(tasks: string, more = '', version: AirflowVersion = 2): ImportedAirflow {
  return importAirflow([{ file: 'd.yaml', text: `d:\n  schedule: null\n${more}\n  tasks:\n${tasks}`, version }]);
}

function bash(command: string, more = ''): { task: Record<string, unknown>; notes: string[] } {
  const tasks = `    t:\n      operator: airflow.operators.bash.BashOperator\n      bash_command: ${JSON.stringify(command)}\n${more}`;
  const result = factory(tasks, '  params: { region: eu, my-table: t }');
  const file = parse(textOf(result, 'd.yaml')) as { tasks: { t: Record<string, unknown> } };
  return { task: file.tasks.t, notes: result.notes.map(({ kind, message }) => `${kind}: ${message}`) };
}

const lines = (result: ImportedAirflow): string[] =>
  result.notes.map(
    ({ file, line, column, path, kind, message }) =>
      `${file}:${line === null ? ` ${path}` : `${line}:${column}`} ${kind}: ${message}`,
  );

describe('serialized DAGs that Airflow exported', () => {
  test('become this pipeline', () => {
    const result = imported('sales-airflow-3.1.json');
    expect(result.pipelines).toEqual(['sales-daily']);
    expect(textOf(result, 'sales-daily.yaml')).toMatchSnapshot();
    expect(lines(result)).toMatchSnapshot();
  });

  test.each(['sales-airflow-2.10.json', 'sales-airflow-3.0.json'])('%s is the same pipeline', (file) => {
    // A cron of Airflow 2 is about what lies before the fire, one of 3 about what follows it.
    const withoutHead = (text: string): string => text.slice(text.indexOf('\nname:')).replace('  run: at_start\n', '');
    const [here, newest] = [imported(file), imported('sales-airflow-3.1.json')];
    expect(withoutHead(textOf(here, 'sales-daily.yaml'))).toBe(withoutHead(textOf(newest, 'sales-daily.yaml')));
    expect(textOf(here, 'sales-daily/tasks.py')).toBe(textOf(newest, 'sales-daily/tasks.py'));
  });

  test.each(['schedules-airflow-2.10.json', 'schedules-airflow-3.1.json'])('%s: every kind of schedule', (file) => {
    const result = imported(file);
    const schedules = result.files.map(({ path, text }) => {
      const { schedule } = parse(text) as { schedule?: object };
      return [path, JSON.stringify(schedule) ?? 'manual'].join(' ');
    });
    expect([...schedules.sort(), ...lines(result)]).toMatchSnapshot();
  });

  test('exchange-airflow-3.1.json: what DAGs wait for, ask, start and feed', () => {
    const result = imported('exchange-airflow-3.1.json');
    const files = result.files.map(({ path, text }) => ({ file: path, text }));
    expect([...compilePipelines(files.filter(({ file }) => file.endsWith('.yaml'))).problems.values()]).toEqual([]);
    expect(files.map(({ text }) => text.slice(text.indexOf('\nname:'))).join('')).toMatchSnapshot();
    expect(lines(result)).toMatchSnapshot();
  });

  test.each([
    ['{', 'is not JSON'],
    ['[1]', 'is not a serialized DAG'],
    ['{"dag": []}', 'is not a serialized DAG'],
    ['{"dag": {"dag_id": "x"}}', 'has no tasks'],
  ])('%s is reported', (text, message) => {
    const { files, notes } = importAirflow([{ file: 'x.json', text }]);
    expect([files, notes.map((note) => note.message)]).toEqual([[], [expect.stringContaining(message)]]);
  });
});

describe('a dag-factory file', () => {
  test('becomes this pipeline', () => {
    const result = imported('orders.yaml');
    expect(result.files.map(({ path }) => path)).toEqual(['orders.yaml', 'orders/tasks.py']);
    expect(textOf(result, 'orders.yaml')).toMatchSnapshot();
    expect(lines(result)).toMatchSnapshot();
  });

  test('a task precedes its group, the group the DAG, the DAG the file, the file its defaults.yml', () => {
    const retry = (count: number): string => `default_args: { retries: ${count} }`;
    const task = (name: string, more = ''): string => `    ${name}: { operator: a.EmptyOperator${more} }\n`;
    const text = `default:\n  ${retry(2)}\nd:\n  ${retry(3)}\n  task_groups:\n    g: { ${retry(4)} }\n  tasks:\n${task('a', ', retries: 5')}${task('b', ', task_group_name: g')}${task('c')}e:\n  tasks:\n${task('a')}`;
    const result = importAirflow([
      { file: 'd.yaml', text, defaults: 'default_args: { retries: 1, execution_timeout: 1 minutes }' },
    ]);
    const compiled = (name: string) => parsePipeline('x.yaml', textOf(result, name)).pipeline?.tasks ?? [];
    expect(compiled('d.yaml').map(({ id, retries, timeoutMs }) => [id, retries.max, timeoutMs])).toEqual([
      ['a', 5, 60_000],
      ['g_b', 4, 60_000],
      ['c', 3, 60_000],
    ]);
    expect(compiled('e.yaml').map(({ retries }) => retries.max)).toEqual([2]);
  });

  test('groups before groups, nested ones too, are edges between their ends', () => {
    const text = `d:
  task_groups:
    outer: {}
    inner: { parent_group_name: outer }
    after: { dependencies: [outer] }
  tasks:
    a: { operator: a.EmptyOperator, task_group_name: inner }
    b: { operator: a.EmptyOperator, task_group_name: inner, dependencies: [a] }
    c: { operator: a.EmptyOperator, task_group_name: after }
    e: { operator: a.EmptyOperator, task_group_name: after, dependencies: [c] }
`;
    const { tasks, groups } = parse(textOf(importAirflow([{ file: 'd.yaml', text }]), 'd.yaml')) as Record<
      string,
      object
    >;
    expect(tasks).toEqual({
      outer_inner_a: { group: 'outer_inner', run: ':' },
      outer_inner_b: { group: 'outer_inner', needs: ['outer_inner_a'], run: ':' },
      after_c: { group: 'after', needs: ['outer_inner_b'], run: ':' },
      after_e: { group: 'after', needs: ['after_c'], run: ':' },
    });
    expect(groups).toEqual({ outer_inner: {}, after: {} });
  });

  test('a circle is opened where it closes, with a word', () => {
    const result = factory(
      '    a: { operator: x.EmptyOperator, dependencies: [b] }\n    b: { operator: x.EmptyOperator, dependencies: [a] }\n',
    );
    expect(lines(result)).toEqual(['d.yaml:6:5 lost: "b" and "a" need each other.']);
    expect(parsePipeline('d.yaml', textOf(result, 'd.yaml')).problems).toEqual([]);
  });

  test.each([
    [2, '', { cron: '@daily', start: '2026-01-01', catchup: true }],
    [3, '', undefined],
    [2, '  schedule: "@hourly"\n  catchup: false', { cron: '@hourly', start: '2026-01-01' }],
    [
      3,
      '  schedule: { __type__: datetime.timedelta, hours: 6 }',
      { every: '6h', start: '2026-01-01', run: 'at_start' },
    ],
  ] as const)('for Airflow %s, %j is the schedule %j', (version, more, expected) => {
    const text = `d:\n  start_date: 2026-01-01\n${more}\n  tasks: { a: { operator: x.EmptyOperator } }\n`;
    const result = importAirflow([{ file: 'd.yaml', text, version }]);
    expect((parse(textOf(result, 'd.yaml')) as { schedule?: object }).schedule).toEqual(expected);
  });
});

describe('a command', () => {
  test.each([
    ['echo {{ ds }}', 'echo ${{ ds }}'],
    ['echo "{{ ds_nodash }}-x"', 'echo "${{ ds_nodash }}-x"'],
    ["echo '{{ ds }}'", 'echo "${{ ds }}"'],
    ["echo 'at {{ ts }}!'", `echo 'at '"\${{ ts }}"'!'`],
    ["echo {{ params.region }} {{ params['my-table'] }}", 'echo ${{ params.region }} ${{ params.my_table }}'],
    ['echo {{ data_interval_start | ds }} {{logical_date}}', 'echo ${{ ds }} ${{ data_interval_start }}'],
    ["echo {{ var.value.get_it }} {{ dag_run.conf['region'] }}", 'echo ${{ env.vars.get_it }} ${{ params.region }}'],
    ['echo {{ dag.dag_id }}/{{ task.task_id }} # on {{ ds }}', 'echo d/t # on ds'],
    ['cat <<END\n{{ ds }}\nEND', 'cat <<END\n${AIRFLOW_1}\nEND'],
    ['scripts/load.sh', 'bash scripts/load.sh'],
  ])('%j runs as %j', (command, script) => {
    expect(bash(command).task.run).toBe(script);
  });

  test.each([
    ['echo {{ macros.ds_add(ds, -7) }}', '{{ macros.ds_add(ds, -7) }}'],
    ['{% if x %}a{% endif %}', '{% if x %}'],
    ['echo {{ params.unknown }}', '{{ params.unknown }}'],
    ['echo {{ conn.db.password }}', '{{ conn.db.password }}'],
    ["echo {{ ti.xcom_pull(task_ids='nobody') }}", 'xcom_pull'],
    ["python3 -c 'print({{ ds }})'", 'another interpreter'],
    ["cat <<'END'\n{{ ds }}\nEND", 'here-document'],
    ['', 'is empty'],
  ])('%j fails and says why', (command, why) => {
    const { task, notes } = bash(command);
    expect(String(task.run)).toMatch(/^echo 'not carried over from Airflow: .*' >&2; exit 1/);
    expect(notes.join('\n')).toContain(why);
  });

  test('is mapped over commands and over variables', () => {
    const map = (expand: string): unknown => bash('echo $A', `      expand: ${expand}\n`).task;
    expect(map('{ bash_command: [echo 1, echo 2] }')).toEqual({
      matrix: { bash_command: ['echo 1', 'echo 2'] },
      run: 'bash -c "$AIRFLOW_COMMAND"',
      env: { AIRFLOW_COMMAND: '${{ matrix.bash_command }}' },
    });
    expect(map('{ env: [{ A: 1 }, { A: 2 }] }')).toEqual({
      matrix: { env: [{ A: 1 }, { A: 2 }] },
      run: 'echo $A',
      env: { A: '${{ matrix.env.A }}' },
    });
    expect(map('{ cwd: [a, b] }')).toEqual({ run: expect.stringContaining('is mapped over "cwd"') });
  });
});

describe('arguments of a task', () => {
  test.each([
    ['retries: 3', { retries: { max: 3, delay: '5m', backoff: 1, max_delay: '5m', jitter: 0 } }],
    [
      'retries: 3\n      retry_delay_sec: 1\n      retry_exponential_backoff: 1.5\n      retry_delay: 10 seconds',
      { retries: { max: 3, delay: '10s', backoff: 1.5, max_delay: '1d', jitter: 1 } },
    ],
    ['execution_timeout: { __type__: datetime.timedelta, minutes: 90 }', { timeout: '1h30m' }],
    ['trigger_rule: one_failed', { when: 'one_failed' }],
    ['trigger_rule: dummy', { when: 'always' }],
    ['pool: My Pool\n      pool_slots: 2', { pool: 'my-pool', slots: 2 }],
    ['priority_weight: 7', { priority: 7 }],
    ['env: { A: "{{ ds }}", B: 1, DS: x }', { env: { A: '${{ ds }}', B: '1' } }],
    ['cwd: /data/{{ ds }}', { run: "cd '/data/'${{ ds }}\nx" }],
  ])('%s', (argument, expected) => {
    expect(bash('x', `      ${argument}\n`).task).toEqual({ run: 'x', ...expected });
  });

  test('what it asks of the interval before is kept where intervals follow each other', () => {
    const task = (id: string, keys: string) =>
      `    ${id}: { operator: x.EmptyOperator, depends_on_past: true, ignore_first_depends_on_past: true${keys} }\n`;
    const text = `d:\n  schedule: "@daily"\n  start_date: 2026-01-01\n  tasks:\n${task('a', '')}${task('b', ', wait_for_downstream: true')}`;
    const result = importAirflow([{ file: 'd.yaml', text, version: 2 }]);
    const file = parse(textOf(result, 'd.yaml')) as { defaults: object; tasks: { b: object } };
    expect(file).toMatchObject({ defaults: { depends_on_past: true }, tasks: { b: { wait_for_downstream: true } } });
    expect(result.notes).toEqual([]);
  });

  test.each(['depends_on_past: true', 'queue: big', 'retries: many', 'unheard_of: 1', 'on_execute_callback: a.b'])(
    '%s is reported at its place',
    (argument) => {
      const tasks = `    t:\n      operator: x.EmptyOperator\n      ${argument}\n`;
      const [note, more] = factory(tasks).notes;
      expect([note?.line, note?.column, note?.kind, more]).toEqual([7, 7, 'lost', undefined]);
      expect(note?.hint).toMatch(/\S[.`]$/);
    },
  );
});

test('branches and short circuits become conditions of what is after them', () => {
  const call = (name: string): string => `operator: x.${name}, python_callable: m.f`;
  const result = factory(`    b: { ${call('BranchPythonOperator')} }
    one: { operator: x.EmptyOperator, dependencies: [b] }
    two: { operator: x.EmptyOperator, dependencies: [b, one] }
    s: { ${call('ShortCircuitOperator')}, dependencies: [two] }
    end: { operator: x.EmptyOperator, dependencies: [s], trigger_rule: all_done }
`);
  const { tasks } = parse(textOf(result, 'd.yaml')) as { tasks: Record<string, { if?: string }> };
  expect([tasks.one?.if, tasks.two?.if, tasks.end?.if]).toEqual([
    '["one"].exists(way, way in tasks.b.outputs.branch)',
    '["one","two"].exists(way, way in tasks.b.outputs.branch)',
    'tasks.s.outputs.proceed',
  ]);
});

/** The entry of one task, and what is said about it. */
function converted(lines: readonly string[], around = ''): { task: Record<string, unknown>; notes: string[] } {
  const text = `d:\n  schedule: "0 3 * * *"\n  timezone: Europe/Berlin\n  start_date: 2026-01-01\n  catchup: false\n  tasks:\n    t:\n${lines.map((line) => `      ${line}\n`).join('')}${around}`;
  const result = importAirflow([{ file: 'd.yaml', text }]);
  const yaml = result.files.filter(({ path }) => path.endsWith('.yaml'));
  expect([
    ...compilePipelines(yaml.map(({ path, text: written }) => ({ file: path, text: written }))).problems.values(),
  ]).toEqual([]);
  const { tasks } = parse(textOf(result, 'd.yaml')) as { tasks: { t: Record<string, unknown> } };
  return { task: tasks.t, notes: result.notes.map(({ kind, message }) => `${kind}: ${message}`) };
}

const OTHER =
  'other:\n  schedule: null\n  params: { region: eu, Day-1: x }\n  tasks: { a: { operator: x.EmptyOperator } }\n';

describe('assets of dag-factory', () => {
  const load =
    'load:\n  schedule: null\n  tasks:\n    a: { operator: x.EmptyOperator, outlets: [s3://lake/a] }\n    b: { operator: x.EmptyOperator, outlets: [s3://lake/b, s3://lake/a], inlets: [s3://lake/a], dependencies: [a] }\n';
  const read = (schedule: string, more = ''): { schedule: unknown; lost: string[] } => {
    const text = `${load}d:\n  start_date: 2026-01-01\n  schedule: ${schedule}\n  tasks: { t: { operator: x.EmptyOperator } }\n${more}`;
    const result = importAirflow([{ file: 'd.yaml', text }]);
    const files = result.files.map(({ path, text: written }) => ({ file: path, text: written }));
    expect([...compilePipelines(files).problems.values()]).toEqual([]);
    const { schedule: found } = parse(textOf(result, 'd.yaml')) as { schedule?: unknown };
    return {
      schedule: found,
      lost: result.notes
        .filter(({ kind, path }) => kind === 'lost' && path.startsWith('d.'))
        .map(({ message }) => message),
    };
  };

  test.each([
    ['[s3://lake/a]', { datasets: ['load.lake_a'] }],
    ['[s3://lake/a, s3://lake/b]', { datasets: { all: ['load.lake_a', 'load.lake_b'] } }],
    [
      '{ __or__: [s3://lake/a, { __type__: airflow.sdk.Asset, uri: s3://lake/b }] }',
      { datasets: { any: ['load.lake_a', 'load.lake_b'] } },
    ],
    ['{ datasets: [s3://lake/b] }', { datasets: ['load.lake_b'] }],
  ])('%s starts runs by %j', (schedule, expected) => {
    expect(read(schedule)).toEqual({ schedule: expected, lost: [] });
  });

  test('a DAG that ends before it begins is manual, and says why', () => {
    expect(read('"@daily"\n  end_date: 2025-12-31')).toEqual({
      schedule: undefined,
      lost: [
        'The DAG ends (2025-12-31) before it begins (2026-01-01), so that its schedule never fires: the pipeline is manual.',
      ],
    });
  });

  test('who writes it by several DAGs is any of them, nobody is said, and a round is opened', () => {
    const second = 'more:\n  schedule: null\n  tasks: { a: { operator: x.EmptyOperator, outlets: [s3://lake/a] } }\n';
    expect(read('[s3://lake/a]', second).schedule).toEqual({ datasets: { any: ['load.lake_a', 'more.lake_a'] } });
    expect(read('[s3://other]')).toEqual({
      schedule: undefined,
      lost: [
        'The schedule waits for the asset "s3://other", which no other imported DAG has as an outlet.',
        'The schedule of assets (once: datasets) cannot be kept: no data starts the pipeline.',
      ],
    });
    const round =
      'x:\n  schedule: [s3://y]\n  tasks: { a: { operator: x.EmptyOperator, outlets: [s3://x] } }\ny:\n  schedule: [s3://x]\n  tasks: { a: { operator: x.EmptyOperator, outlets: [s3://y] } }\n';
    expect(importAirflow([{ file: 'd.yaml', text: round }]).notes.filter(({ kind }) => kind === 'lost')).toHaveLength(
      4,
    );
  });

  test('outlets are paths that tasks write, inlets those that they read; a path has one writer', () => {
    const { files, notes } = importAirflow([{ file: 'd.yaml', text: load }]);
    const { paths, tasks } = parse(files[0]?.text ?? '') as { paths: object; tasks: object };
    expect({ paths, tasks }).toEqual({
      paths: { lake_a: 'lake_a', lake_b: 'lake_b' },
      tasks: {
        a: { run: ':', writes: ['lake_a'] },
        b: { needs: ['a'], run: ':', writes: ['lake_b'], reads: ['lake_a'] },
      },
    });
    expect(notes.filter(({ kind }) => kind === 'lost').map(({ message }) => message)).toEqual([
      'Task "b" is not the first that has "s3://lake/a" as an outlet; a path has one writer.',
    ]);
  });
});

describe('a sensor', () => {
  test.each([
    [
      'FileSensor',
      [
        'filepath: /data/{{ ds }}/x.csv',
        'poke_interval: 300',
        'timeout: 3600',
        'soft_fail: true',
        'mode: reschedule',
        'retries: 3',
        'pool: p',
      ],
      { path: 'data/${{ ds }}/x.csv', every: '5m', timeout: '1h', on_timeout: 'skip' },
    ],
    ['S3KeySensor', ['bucket_name: lake', 'bucket_key: "in/{{ ds_nodash }}"'], { path: 'in/${{ ds_nodash }}' }],
    ['S3KeySensor', ['bucket_key: "s3://lake/in/_SUCCESS"', 'aws_conn_id: a'], { path: 'in/_SUCCESS' }],
    [
      'ExternalTaskSensor',
      ['external_dag_id: other', 'external_task_id: a', 'execution_timeout: 600'],
      { run: 'other', timeout: '10m' },
    ],
    [
      'HttpSensor',
      ['http_conn_id: books-1', 'endpoint: /days/{{ ds }}', 'request_params: { closed: "y&n", day: "{{ ts }}" }'],
      { http: '${{ env.vars.books_1 }}/days/${{ ds }}?closed=y%26n&day=${{ ts }}' },
    ],
    [
      'HttpSensor',
      ['endpoint: https://a.example/x', 'headers: { Accept: text/plain }'],
      { http: { url: 'https://a.example/x', headers: { Accept: 'text/plain' } } },
    ],
    [
      'TimeSensor',
      ['target_time: "07:30:00"'],
      { expr: 'now.getHours("Europe/Berlin") * 60 + now.getMinutes("Europe/Berlin") >= 450' },
    ],
    ['DateTimeSensor', ['target_time: "2026-01-01T06:00:00+01:00"'], { time: '2026-01-01T05:00:00Z' }],
    ['DateTimeSensor', ['target_time: "{{ data_interval_end }}"'], { time: '${{ data_interval_end }}' }],
    [
      'TimeDeltaSensor',
      ['delta: { __type__: datetime.timedelta, hours: 2 }', 'retries: 2'],
      { time: 'data_interval_end + 2h' },
    ],
  ])('%s %j waits for %j', (operator, lines, wait) => {
    const { task, notes } = converted([`operator: a.${operator}`, ...lines], OTHER);
    expect(task).toEqual({ wait });
    expect(notes.filter((note) => note.startsWith('lost'))).toEqual([]);
  });

  test.each([
    ['FileSensor', ['filepath: /in/*.csv'], 'its path is a pattern'],
    ['S3KeySensor', ['bucket_key: [a, b]'], 'it waits for several keys'],
    [
      'ExternalTaskSensor',
      ['external_dag_id: nowhere'],
      'it waits for the DAG "nowhere", which is not among those imported',
    ],
    [
      'ExternalTaskSensor',
      ['external_dag_id: other', 'execution_delta: 3600'],
      'it waits for a run of another interval (execution_delta)',
    ],
    ['HttpSensor', ['endpoint: x', 'method: POST'], 'it asks with POST'],
    ['TimeSensor', ['mode: poke'], 'its time is not in the source'],
    ['SqlSensor', ['sql: select 1'], 'it is a SqlSensor'],
    ['PythonSensor', ['python_callable: a.b'], 'it is a PythonSensor'],
  ])('%s %j is a task that fails: %s', (operator, lines, why) => {
    const { task, notes } = converted([`operator: a.${operator}`, ...lines], OTHER);
    expect(String(task.run)).toMatch(/^echo 'not carried over/);
    expect(notes.join('\n')).toContain(`lost: Task "t" is not carried over: ${why}`);
  });
});

describe('an operator that knows a protocol', () => {
  test.each([
    [
      'HttpOperator',
      [
        'http_conn_id: shop',
        'endpoint: /exports',
        `data: '{"day": "{{ ds }}"}'`,
        'headers: { X-A: "{{ ts }}" }',
        'retries: 2',
      ],
      {
        http: {
          url: '${{ env.vars.shop }}/exports',
          method: 'POST',
          headers: { 'X-A': '${{ ts }}' },
          body: '{"day": "${{ ds }}"}',
        },
        retries: { max: 2, delay: '5m', backoff: 1, max_delay: '5m', jitter: 0 },
      },
    ],
    [
      'SimpleHttpOperator',
      ['method: GET', 'endpoint: a', 'data: { day: "{{ ds }}" }'],
      { http: { url: '${{ env.vars.http_default }}/a?day=${{ ds }}' } },
    ],
    [
      'HttpOperator',
      ['endpoint: a', 'data: { b: "c d", n: 1 }'],
      {
        http: {
          url: '${{ env.vars.http_default }}/a',
          method: 'POST',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: 'b=c%20d&n=1',
        },
      },
    ],
    [
      'PapermillOperator',
      ['input_nb: /opt/nb/daily.ipynb', 'output_nb: /tmp/o.ipynb', 'parameters: { day: "{{ ds }}", top: 10 }'],
      { notebook: { file: 'd/daily.ipynb', params: { day: '${{ ds }}', top: 10 } } },
    ],
    [
      'TriggerDagRunOperator',
      [
        'trigger_dag_id: other',
        'conf: { region: "{{ ds }}", Day-1: 3 }',
        'wait_for_completion: true',
        'execution_timeout: 60',
      ],
      { call: { pipeline: 'other', params: { region: '${{ ds }}', day_1: 3 } }, timeout: '1m' },
    ],
  ])('%s %j becomes %j', (operator, lines, expected) => {
    const { task, notes } = converted([`operator: a.${operator}`, ...lines], OTHER);
    expect(task).toEqual(expected);
    expect(notes.filter((note) => note.startsWith('lost') && !note.includes('notebook of task'))).toEqual([]);
  });

  test.each([
    [
      'TriggerDagRunOperator',
      ['trigger_dag_id: d'],
      'it starts the DAG "d", which is not among those imported, or starts this one',
    ],
    ['HttpOperator', ['endpoint: x', 'headers: { Authorization: secret }'], 'its header Authorization holds a secret'],
    ['PapermillOperator', ['input_nb: "/opt/{{ ds }}.txt"'], 'its notebook is not a fixed file'],
    [
      'SQLColumnCheckOperator',
      ['table: t', 'column_mapping: { id: { null_check: { equal_to: 0 }, min: { geq_to: 1 } } }'],
      'it is a SQLColumnCheckOperator',
    ],
  ])('%s %j is a task that fails: %s', (operator, lines, why) => {
    const { task, notes } = converted([`operator: a.${operator}`, ...lines], OTHER);
    expect(String(task.run)).toMatch(/^echo 'not carried over/);
    expect(notes.join('\n')).toContain(`lost: Task "t" is not carried over: ${why}`);
  });

  test('a check of a column is said in words of `checks:`', () => {
    const tests =
      'column_mapping: { id: { null_check: { equal_to: 0 }, unique_check: { equal_to: 0 }, min: { geq_to: 1 } } }';
    const { notes } = factory(`    t: { operator: a.SQLColumnCheckOperator, table: x, ${tests} }\n`);
    expect(notes[0]?.hint).toBe(
      'Put it to the task that writes the rows, under `checks:`: `[{ not_null: [id] }, { unique: [id] }, { range: { column: id, min: 1 } }]`.',
    );
  });
});

test('DAGs with the same id, and ids that Sluice does not allow, get names of their own', () => {
  const text =
    'My DAG:\n  tasks: { "1-A b": { operator: x.EmptyOperator }, "1 a-b": { operator: x.EmptyOperator }, in: { operator: x.EmptyOperator } }\n';
  const { pipelines, files } = importAirflow([
    { file: 'a.yaml', text },
    { file: 'b.yaml', text },
  ]);
  expect(pipelines).toEqual(['my-dag', 'my-dag-2']);
  expect(Object.keys((parse(files[0]?.text ?? '') as { tasks: object }).tasks)).toEqual([
    'x_1_a_b',
    'x_1_a_b_2',
    'in_x',
  ]);
});
