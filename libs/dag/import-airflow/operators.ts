/** What the import makes of a task, by the class of its operator or its decorator. */
export type OperatorKind =
  'bash' | 'empty' | 'python' | 'branch' | 'short_circuit' | 'sensor' | 'http' | 'notebook' | 'call' | 'other';

const KINDS: Readonly<Record<string, OperatorKind>> = {
  BashOperator: 'bash',
  EmptyOperator: 'empty',
  DummyOperator: 'empty',
  PythonOperator: 'python',
  PythonVirtualenvOperator: 'python',
  ExternalPythonOperator: 'python',
  _PythonDecoratedOperator: 'python',
  '@task': 'python',
  '@task.python': 'python',
  '@task.virtualenv': 'python',
  '@task.external_python': 'python',
  BranchPythonOperator: 'branch',
  '@task.branch': 'branch',
  ShortCircuitOperator: 'short_circuit',
  '@task.short_circuit': 'short_circuit',
  FileSensor: 'sensor',
  S3KeySensor: 'sensor',
  ExternalTaskSensor: 'sensor',
  HttpSensor: 'sensor',
  TimeSensor: 'sensor',
  TimeSensorAsync: 'sensor',
  DateTimeSensor: 'sensor',
  DateTimeSensorAsync: 'sensor',
  TimeDeltaSensor: 'sensor',
  TimeDeltaSensorAsync: 'sensor',
  HttpOperator: 'http',
  SimpleHttpOperator: 'http',
  PapermillOperator: 'notebook',
  TriggerDagRunOperator: 'call',
};

export function kindOf(operator: string): OperatorKind {
  return Object.hasOwn(KINDS, operator) ? (KINDS[operator] ?? 'other') : 'other';
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^SqlSensor|^(PythonSensor|@task\.sensor)/,
    'Ask in `run:` or `python:`, and exit with 75 (or `ctx.retry_after`) to be asked again later: it holds no slot meanwhile.',
  ],
  [
    /Sensor|^@task\.sensor/,
    'Write `wait:` with what it waits for: a path, data, an address, a run, a time or an expression.',
  ],
  [/^LatestOnly/, 'Write `catchup: false` in the schedule.'],
  [/^(SubDag|DagRun)/, 'Put the tasks into this pipeline.'],
  [/^(BranchDateTime|BranchDayOfWeek|BranchSQL|Branch)/, 'Write `if:` on the tasks that may be left out.'],
  [
    /^(Email|Slack|Teams|Discord|Pager|Opsgenie|Telegram)/,
    'Write `alerts:`, or call the service from a task under `finally:`.',
  ],
  [/^(Kubernetes|Docker|ECS|Ecs|GKE|Batch)/, 'Start the container from `run:`, for example `docker run --rm IMAGE`.'],
  [/^(SSH|SFTP|FTP)/, 'Call ssh from `run:`, with the key under `secrets:`.'],
  [/Approval|HITL/, 'Start the second half as a manual pipeline of its own.'],
  [
    /SQL|Sql|Snowflake|BigQuery|Postgres|MySql|Redshift|Trino|Presto|Hive|DuckDB|Athena/,
    'Call the database from `run` or `python`, with its address under `secrets:`; `sql:` is DuckDB over the files of `reads`.',
  ],
  [/^SparkSubmit/, 'Write `spark:` with the file below dags/, its `args`, `conf` and `master`.'],
  [/Spark|Databricks|Dataproc|Emr|Glue|Livy/, 'Submit it from `run:` and wait for its end there.'],
  [/^@task\.bash/, 'Write the command that the function returns as `run:`.'],
];

/** What to write instead of an operator that has no counterpart. */
export function operatorHint(operator: string): string {
  return (
    HINTS.find(([pattern]) => pattern.test(operator))?.[1] ?? 'Write the task as `run`, `node`, `python` or `sql`.'
  );
}
