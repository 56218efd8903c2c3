import { parsesAsDateTime } from './moment-text.ts';
import type { AirflowTask } from './airflow-dag.ts';
import type { Conversion, TaskBody } from './conversion.ts';
import { addressOf } from './http-address.ts';
import { NotCarried, partsIn, textIn, valueIn } from './template-value.ts';
import { joinTemplate } from './template.ts';
import { durationOf } from './to-schedule.ts';
import { isMap, secondsOf, TypedValue } from './typed-value.ts';

type Wait = Readonly<Record<string, unknown>>;

/** A sensor as `wait:`; throws NotCarried. */
export function sensorBody(task: AirflowTask, conversion: Conversion): TaskBody {
  const condition = conditionOf(task, conversion);
  const { args } = task;
  // How a worker waits is no question here: nobody does.
  for (const key of ['mode', 'deferrable', 'silent_fail', 'exponential_backoff', 'max_wait']) args.take(key);
  const every = args.seconds('poke_interval') ?? args.seconds('poll_interval');
  const timeout = args.seconds('timeout');
  const isTime = condition.time !== undefined;
  if (task.place.line === null && timeout === undefined && !isTime)
    conversion.report.changed(
      task.place,
      `An export of Airflow does not say how often and for how long task "${task.id}" looks: it is each minute, for seven days.`,
      'Write `every` and `timeout` below `wait:`, and `on_timeout: skip` where it was `soft_fail`.',
    );
  return {
    wait: {
      ...condition,
      every: every === undefined || isTime || every === 60 ? undefined : (durationOf(every, 1) ?? '1s'),
      timeout: timeout === undefined || timeout === 604_800 ? undefined : (durationOf(timeout) ?? undefined),
      on_timeout: args.yes('soft_fail') ? 'skip' : undefined,
    },
  };
}

function conditionOf(task: AirflowTask, conversion: Conversion): Wait {
  switch (task.operator.replace(/Async$/, '')) {
    case 'FileSensor':
      task.args.take('fs_conn_id');
      return pathOf(task.args.text('filepath') ?? '', task, conversion);
    case 'S3KeySensor':
      return s3Key(task, conversion);
    case 'ExternalTaskSensor':
      return runOf(task, conversion);
    case 'HttpSensor':
      return httpOf(task, conversion);
    case 'TimeSensor':
      return timeOfDay(task, conversion);
    case 'DateTimeSensor':
      return instant(task, conversion);
    case 'TimeDeltaSensor':
      return delta(task, conversion);
    default:
      throw new NotCarried(`it is a ${task.operator}`, 'Write `wait:`.');
  }
}

function pathOf(written: string, task: AirflowTask, conversion: Conversion): Wait {
  const at = textIn(written, task, conversion).replace(/^\/+|\/+$/g, '');
  if (at === '' || /[*?[\]]/.test(at))
    throw new NotCarried(
      at === '' ? 'its path is not in the source' : 'its path is a pattern',
      'Write `wait: { path: … }`.',
    );
  conversion.report.changed(
    task.place,
    `Task "${task.id}" waits for "${at}" below the environment's storage.`,
    'See that it comes there, or write another path.',
  );
  return { path: at };
}

function s3Key(task: AirflowTask, conversion: Conversion): Wait {
  const { args } = task;
  for (const key of ['aws_conn_id', 'verify', 'region_name', 'botocore_config', 'use_regex']) args.take(key);
  const [bucket, key, wildcard] = [args.take('bucket_name'), args.take('bucket_key'), args.yes('wildcard_match')];
  const keys = [key].flat();
  const [only] = keys;
  if (keys.length !== 1 || typeof only !== 'string' || wildcard)
    throw new NotCarried('it waits for several keys', 'Write one `wait: { path: … }` for each.');
  const [, named, rest] = /^s3:\/\/([^/]+)\/(.*)$/.exec(only) ?? [];
  const from = named ?? (typeof bucket === 'string' ? bucket : undefined);
  if (from !== undefined)
    conversion.report.changed(
      task.place,
      `The bucket "${from}" of task "${task.id}" is not named any more.`,
      'Set `storage: s3://…` in environments/<name>.yaml to what holds the path.',
    );
  return pathOf(rest ?? only, task, conversion);
}

function runOf(task: AirflowTask, { project, report }: Conversion): Wait {
  const { args } = task;
  const other = args.text('external_dag_id') ?? '';
  for (const key of ['allowed_states', 'failed_states', 'skipped_states', 'check_existence', 'dag_id']) args.take(key);
  const tasks = ['external_task_id', 'external_task_ids', 'external_task_group_id'].flatMap(
    (key) => args.take(key) ?? [],
  );
  const shifted = ['execution_delta', 'execution_date_fn'].find((key) => args.take(key) !== undefined);
  if (shifted !== undefined)
    throw new NotCarried(
      `it waits for a run of another interval (${shifted})`,
      'Let the pipelines have the same schedule, or read the data: `reads` with `last: 1d`.',
    );
  const pipeline = project.waitedFor(other);
  if (pipeline === undefined)
    throw new NotCarried(
      `it waits for the DAG "${other}", which is not among those imported`,
      'Import both together, or write `wait: { run: other-pipeline }`.',
    );
  if (tasks.length > 0)
    report.changed(
      task.place,
      `Task "${task.id}" waits for the whole run of "${other}", not only for ${tasks.map(String).join(', ')}.`,
      'Wait for data instead: `wait: { dataset: other-pipeline.path }`.',
    );
  return { run: pipeline };
}

function httpOf(task: AirflowTask, conversion: Conversion): Wait {
  const { args } = task;
  const method = args.text('method') ?? 'GET';
  if (method !== 'GET')
    throw new NotCarried(`it asks with ${method}`, 'Write `wait: { http: … }`, which asks with GET.');
  for (const key of ['response_error_codes_allowlist', 'tcp_keep_alive', 'tcp_keep_alive_idle']) args.take(key);
  const query = args.take('request_params') ?? args.take('data');
  const url = addressOf(task, conversion, isMap(query) ? query : {});
  const headers = valueIn(args.map('headers'), task, conversion) as Readonly<Record<string, unknown>>;
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return { http: Object.keys(texts).length > 0 ? { url, headers: texts } : url };
}

/** Airflow looks at the clock of the DAG's zone on whatever day it is. */
function timeOfDay(task: AirflowTask, { dag }: Conversion): Wait {
  const written = task.args.take('target_time');
  const { args: [hour, minute = 0] = [] } = (
    written instanceof TypedValue && Array.isArray(written.members.args) ? written.members : {}
  ) as { args?: unknown[] };
  const [, textHour, textMinute] = /^(\d{1,2}):(\d{2})/.exec(typeof written === 'string' ? written : '') ?? [];
  const [h, m] = [Number(textHour ?? hour), Number(textMinute ?? minute)];
  if (written === undefined || !(h >= 0 && h < 24 && m >= 0 && m < 60))
    throw new NotCarried(
      'its time is not in the source',
      'Write `wait: { expr: now.getHours("Europe/Berlin") >= 7 }`.',
    );
  const zone = dag.timezone === null || dag.timezone === 'UTC' ? '' : JSON.stringify(dag.timezone);
  return { expr: `now.getHours(${zone}) * 60 + now.getMinutes(${zone}) >= ${h * 60 + m}` };
}

function instant(task: AirflowTask, conversion: Conversion): Wait {
  const written = task.args.take('target_time');
  const text = written instanceof TypedValue && written.type === 'datetime' ? isoOf(written) : written;
  if (typeof text !== 'string' || text === '')
    throw new NotCarried('its time is not in the source', 'Write `wait: { time: data_interval_end + 2h }`.');
  const parts = partsIn(text, task, conversion);
  if (parts.every((part) => part.kind === 'text')) {
    const moment = parsesAsDateTime(joinTemplate(parts), conversion.dag.timezone);
    if (moment === null)
      throw new NotCarried(`its time is ${JSON.stringify(text)}`, 'Write `wait: { time: 2026-01-31T06:00Z }`.');
    return { time: moment };
  }
  return { time: joinTemplate(parts) };
}

function delta(task: AirflowTask, { dag }: Conversion): Wait {
  const written = task.args.take('delta');
  const seconds = secondsOf(written) ?? clockSeconds(written);
  const span = seconds === null ? null : durationOf(seconds, 1);
  if (span === null)
    throw new NotCarried('its span is not in the source', 'Write `wait: { time: data_interval_end + 2h }`.');
  // With trigger timetables the interval ends where it begins, which is where it begins here.
  const isAtStart = 'run' in dag.schedule && dag.schedule.run === 'start';
  return { time: `data_interval_${isAtStart ? 'start' : 'end'} + ${span}` };
}

/** `1 day, 2:30:00`, as Python prints a timedelta. */
function clockSeconds(written: unknown): number | null {
  const [, days = '0', hours, minutes, seconds] =
    /^(?:(\d{1,5}) days?, )?(\d{1,2}):(\d{2}):(\d{2})$/.exec(typeof written === 'string' ? written : '') ?? [];
  return hours === undefined
    ? null
    : ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}

function isoOf({ members }: TypedValue): string {
  return new Date(Number(members.instant) * 1_000).toISOString();
}
