/** What the import makes of a task, by the class of its operator or its decorator. */
export type OperatorKind = 'bash' | 'empty' | 'python' | 'branch' | 'short_circuit' | 'other';

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
};

export function kindOf(operator: string): OperatorKind {
  return Object.hasOwn(KINDS, operator) ? (KINDS[operator] ?? 'other') : 'other';
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^ExternalTask/,
    'Let the tasks that need the data read it: `reads: [other-pipeline.path]`; they wait, holding nothing.',
  ],
  [/^TimeDelta|^DateTimeSensor|^TimeSensor/, 'Start the pipeline at that time: `schedule: { cron: … }`.'],
  [
    /Sensor|^@task\.sensor/,
    'Test in `run:` and exit with 75 to try again later, or declare `reads:` with `missing: wait`.',
  ],
  [/^TriggerDagRun/, 'Write `call: { pipeline: …, params: … }`, which waits for the end of that run.'],
  [/^LatestOnly/, 'Write `catchup: false` in the schedule.'],
  [/^(SubDag|DagRun)/, 'Put the tasks into this pipeline.'],
  [/^(BranchDateTime|BranchDayOfWeek|BranchSQL|Branch)/, 'Write `if:` on the tasks that may be left out.'],
  [
    /^(Email|Slack|Teams|Discord|Pager|Opsgenie|Telegram)/,
    'Write `alerts:`, or call the service from a task under `finally:`.',
  ],
  [/^(Kubernetes|Docker|ECS|Ecs|GKE|Batch)/, 'Start the container from `run:`, for example `docker run --rm IMAGE`.'],
  [/^(SSH|SFTP|FTP)/, 'Call ssh from `run:`, with the key under `secrets:`.'],
  [/^(Simple)?Http/, 'Call the address from a `node` task with fetch, or with curl in `run`.'],
  [/Approval|HITL/, 'Start the second half as a manual pipeline of its own.'],
  [
    /SQL|Sql|Snowflake|BigQuery|Postgres|MySql|Redshift|Trino|Presto|Hive|DuckDB|Athena/,
    'Call the database from `run` or `python`, with its address under `secrets:`; `sql:` is DuckDB over the files of `reads`.',
  ],
  [/Spark|Databricks|Dataproc|Emr|Glue|Livy/, 'Submit it from `run:` and wait for its end there.'],
  [/^@task\.bash/, 'Write the command that the function returns as `run:`.'],
];

/** What to write instead of an operator that has no counterpart. */
export function operatorHint(operator: string): string {
  return (
    HINTS.find(([pattern]) => pattern.test(operator))?.[1] ?? 'Write the task as `run`, `node`, `python` or `sql`.'
  );
}
