import type { AirflowTask } from './airflow-dag.ts';
import type { Conversion, TaskBody } from './conversion.ts';
import { addressOf } from './http-address.ts';
import { NotCarried, textIn, valueIn } from './template-value.ts';
import { isMap, textOf } from './typed-value.ts';

const ID = /^[a-z][a-z0-9_]{0,62}$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** HttpOperator and SimpleHttpOperator as `http:`; throws NotCarried. */
export function httpBody(task: AirflowTask, conversion: Conversion): TaskBody {
  const { args } = task;
  for (const key of ['log_response', 'auth_type', 'tcp_keep_alive', 'deferrable', 'request_kwargs']) args.take(key);
  const said = args.text('method');
  if (said === undefined && task.place.line === null)
    conversion.report.changed(
      task.place,
      `An export of Airflow does not say with which method task "${task.id}" asks: it is POST.`,
      'Write `method:` below `http:`.',
    );
  const method = (said ?? 'POST').toUpperCase();
  if (!METHODS.includes(method)) throw new NotCarried(`it asks with ${method}`, `Write one of ${METHODS.join(', ')}.`);
  const data = args.take('data');
  const headers = valueIn(args.map('headers'), task, conversion) as Readonly<Record<string, unknown>>;
  const secret = Object.keys(headers).find((name) => /^(authorization|cookie|proxy-authorization)$/i.test(name));
  if (secret !== undefined)
    throw new NotCarried(`its header ${secret} holds a secret`, 'Name it under `secrets:`, and write `bearer:`.');
  const isQuery = method === 'GET' || method === 'HEAD';
  const url = addressOf(task, conversion, isQuery && isMap(data) ? data : {});
  const sent = isQuery || data === undefined ? {} : contentOf(data, task, conversion);
  const all = {
    ...sent.headers,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)])),
  };
  return {
    http: {
      url,
      method: method === 'GET' ? undefined : method,
      headers: Object.keys(all).length > 0 ? all : undefined,
      body: sent.body,
    },
  };
}

/** A text goes as it is; of a map Python makes a form. */
function contentOf(
  data: unknown,
  task: AirflowTask,
  conversion: Conversion,
): { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } {
  if (typeof data === 'string') return data === '' ? {} : { body: textIn(data, task, conversion) };
  if (!isMap(data)) throw new NotCarried('what it sends is made in Python', 'Write `json:` or `body:`.');
  const pairs = Object.entries(data).map(([key, value]) => {
    if (typeof value === 'object' || value === undefined)
      throw new NotCarried(`it sends a form with "${key}", which is no text`, 'Write `json:` or `body:`.');
    if (textOf(value).includes('{{'))
      throw new NotCarried(
        `it sends a form with a template in "${key}"`,
        'Write `json:` where the other side takes it.',
      );
    return `${encodeURIComponent(key)}=${encodeURIComponent(textOf(value))}`;
  });
  return { body: pairs.join('&'), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
}

/** PapermillOperator as `notebook:`; throws NotCarried. */
export function notebookBody(task: AirflowTask, conversion: Conversion): TaskBody {
  const { args, id } = task;
  const { folder, report } = conversion;
  const input = args.take('input_nb');
  const [, name] = /([\w.@+-]+\.ipynb)$/.exec(typeof input === 'string' ? input : '') ?? [];
  if (name === undefined)
    throw new NotCarried('its notebook is not a fixed file', 'Write `notebook: reports/daily.ipynb`.');
  const file = `${folder}/${name}`;
  conversion.notebooks.set(file, textOf(input));
  report.lost(
    args.placeOf('input_nb'),
    `The notebook of task "${id}" is not in the source; the task fails until it is there.`,
    `Copy ${textOf(input)} over dags/${file}.`,
  );
  if (args.take('output_nb') !== undefined)
    report.changed(
      args.placeOf('output_nb'),
      `The executed notebook of task "${id}" is kept with the attempt instead.`,
      'Write `notebook: { file, save: path/name.ipynb }` where others read it.',
    );
  const params: Record<string, unknown> = {};
  for (const [param, value] of Object.entries(args.map('parameters'))) {
    if (ID.test(param)) params[param] = valueIn(value, task, conversion);
    else
      report.lost(
        args.placeOf('parameters'),
        `The parameter "${param}" of task "${id}" cannot be called so.`,
        'Give it a name in lower case.',
      );
  }
  return { notebook: Object.keys(params).length > 0 ? { file, params } : file };
}

/** TriggerDagRunOperator as `call:`; throws NotCarried. */
export function callBody(task: AirflowTask, conversion: Conversion): TaskBody {
  const { args, id } = task;
  const { project, report } = conversion;
  const other = args.text('trigger_dag_id') ?? '';
  for (const key of [
    'poke_interval',
    'allowed_states',
    'failed_states',
    'deferrable',
    'reset_dag_run',
    'skip_when_already_exists',
  ])
    args.take(key);
  for (const key of ['trigger_run_id', 'logical_date', 'execution_date'])
    if (!['undefined', '"NOTSET"'].includes(String(JSON.stringify(args.take(key)))))
      report.lost(
        args.placeOf(key),
        `${key} of task "${id}" is not carried over.`,
        'A called run is about the interval of the run that calls it.',
      );
  const pipeline = project.pipelineOf(other);
  if (pipeline === undefined)
    throw new NotCarried(
      `it starts the DAG "${other}", which is not among those imported, or starts this one`,
      'Import both together, or write `call: { pipeline: …, params: … }`.',
    );
  const params: Record<string, unknown> = {};
  const conf = args.take('conf');
  for (const [param, value] of Object.entries(isMap(conf) ? conf : {})) {
    const known = project.paramOf(other, param);
    if (known === undefined)
      report.lost(
        args.placeOf('conf'),
        `"${other}" declares no parameter "${param}", which task "${id}" gives it.`,
        'Declare it under `params:` of that pipeline, and give it.',
      );
    else params[known] = valueIn(value, task, conversion);
  }
  const missing = project.needsOf(other).filter((name) => !Object.hasOwn(params, name));
  if (missing.length > 0)
    throw new NotCarried(
      `it starts "${other}" without ${missing.join(', ')}, which has no default there`,
      'Give the parameter: `call: { pipeline: …, params: … }`.',
    );
  if (!args.yes('wait_for_completion'))
    report.changed(
      task.place,
      `Task "${id}" waits for the end of the run that it starts, and fails with it; Airflow's went on at once.`,
      'Let the other pipeline follow this one instead where nothing waits: `schedule: { after: … }` there.',
    );
  return { call: Object.keys(params).length > 0 ? { pipeline, params } : pipeline };
}
