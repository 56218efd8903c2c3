import { TRIGGER_RULES } from '#core';
import { parsePipeline } from '../parse-pipeline.ts';
import type { AirflowTask } from './airflow-dag.ts';
import type { Args } from './args.ts';
import { bashBody } from './bash-body.ts';
import { groupOf, outputOf, type Conversion, type TaskBody } from './conversion.ts';
import { toFanOut } from './fan-out.ts';
import { KEY_HINTS, WITHOUT_EFFECT } from './known-keys.ts';
import { kindOf, operatorHint } from './operators.ts';
import { callBody, httpBody, notebookBody } from './operator-bodies.ts';
import { pythonBody } from './python-body.ts';
import type { Report } from './report.ts';
import { sensorBody } from './sensor-body.ts';
import { failingScript } from './shell-text.ts';
import { toRetries } from './to-retries.ts';
import { durationOf } from './to-schedule.ts';
import { checksInstead } from './sql-checks.ts';
import { dataOf } from './task-data.ts';
import { NotCarried } from './template-value.ts';
import { textOf } from './typed-value.ts';

/** What the graph says of a task. */
export interface TaskPlace {
  readonly needs: readonly string[];
  readonly conditions: readonly string[];
  readonly priority: number | undefined;
  /** It stands under `finally:`, where rules have no meaning. */
  readonly final: boolean;
  /** Its pipeline has intervals, of which one comes before another. */
  readonly hasIntervals: boolean;
}

/** A task of Airflow as an entry of `tasks:`, with the comment that goes before it. */
export function toTask(
  task: AirflowTask,
  place: TaskPlace,
  conversion: Conversion,
): { entry: Record<string, unknown>; comment: string } {
  const { args } = task;
  const { report } = conversion;
  const docs = ['doc_md', 'doc', 'doc_rst', 'doc_yaml', 'doc_json'].map((key) => args.take(key));
  const limits = limitsOf(args, report);
  const rule = ruleOf(task, report);
  const parallel = args.number('max_active_tis_per_dagrun');
  const group = place.final ? null : groupOf(task, conversion);
  const past = pastOf(task, place, report);
  const mayFail = !args.yes('on_failure_fail_dagrun') && place.final;
  // Last, so that a task that has to be written anew shows what nobody else took.
  const { env = {}, matrix, max_fanout: maxFanout, ...body } = bodyOf(task, place, conversion);
  const waits = body.wait !== undefined || body.call !== undefined;
  const data = waits ? {} : dataOf(task, conversion);
  reportLeft(args, `task "${task.id}"`, report);
  const isFannedOut = (matrix !== undefined || group !== null) && parallel !== undefined && parallel >= 1;
  const entry: Record<string, unknown> = {
    needs: place.needs.length > 0 ? place.needs : undefined,
    when: place.final ? undefined : rule,
    if: place.final || place.conditions.length === 0 ? undefined : place.conditions.join(' && '),
    matrix,
    max_fanout: maxFanout,
    max_parallel: isFannedOut ? Math.min(Math.trunc(parallel), 100_000) : undefined,
    ...body,
    env: Object.keys(env).length > 0 ? env : undefined,
    ...(waits ? waitLimits(body, limits, task, report) : limits),
    priority: waits ? undefined : place.priority,
    ...past,
    ...data,
    catch: mayFail ? true : undefined,
  };
  for (const key of Object.keys(entry)) if (entry[key] === undefined) delete entry[key];
  return { entry, comment: docs.filter((doc): doc is string => typeof doc === 'string').join('\n') };
}

function pastOf({ id, args }: AirflowTask, place: TaskPlace, report: Report): Record<string, unknown> {
  const asked = (['depends_on_past', 'wait_for_downstream'] as const).filter((key) => args.yes(key));
  const why = place.final
    ? 'it stands under finally, whose tasks always run'
    : place.hasIntervals
      ? null
      : 'without a schedule no interval comes before another';
  if (why === null) return Object.fromEntries(asked.map((key) => [key, true]));
  for (const key of asked)
    report.lost(args.placeOf(key), `\`${key}\` of task "${id}" is not carried over: ${why}.`, 'Leave it out.');
  return {};
}

function limitsOf(args: Args, report: Report): Record<string, unknown> {
  const pool = args.text('pool');
  const slots = args.number('pool_slots') ?? 1;
  return {
    pool: pool === undefined || pool === 'default_pool' ? undefined : poolName(pool, args, report),
    slots: slots >= 2 ? Math.min(Math.trunc(slots), 10_000) : undefined,
    retries: toRetries(args, report),
    timeout: timeoutOf(args, report),
  };
}

/** Says of each argument that nobody understood what to do about it. */
export function reportLeft(args: Args, of: string, report: Report): void {
  for (const key of args.left()) {
    if (WITHOUT_EFFECT.has(key)) continue;
    const hint = Object.hasOwn(KEY_HINTS, key) ? KEY_HINTS[key] : undefined;
    report.lost(
      args.placeOf(key),
      `\`${key}\` of ${of} is not carried over.`,
      hint ?? 'Say it in the task itself, or leave it out.',
    );
  }
}

function bodyOf(task: AirflowTask, place: TaskPlace, conversion: Conversion): TaskBody {
  const kind = kindOf(task.operator);
  // Before anybody takes one: what cannot be carried over shows all that the operator was given.
  const given = describeArguments(task);
  const failing = (why: string, hint: string): TaskBody => {
    for (const key of task.args.left())
      if (!WITHOUT_EFFECT.has(key) && !Object.hasOwn(KEY_HINTS, key)) task.args.take(key);
    conversion.report.lost(
      task.place,
      `Task "${task.id}" is not carried over: ${why}. It fails until you write it.`,
      hint,
    );
    return { run: failingScript(`not carried over from Airflow: ${why}`, given) };
  };
  const group = place.final ? null : groupOf(task, conversion);
  if (task.mappedGroup !== null && group === null) {
    const { id } = task.mappedGroup;
    const found = conversion.mapped.get(id);
    const why = found === undefined || found.ok ? 'it is a teardown, which comes after all of it' : found.reason;
    return failing(`its group "${id}" is mapped as a whole, and ${why}`, 'Write it, and give the group a `matrix`.');
  }
  if (kind === 'other')
    return failing(
      `it is a ${task.operator || 'task without an operator'}`,
      checksInstead(task.operator, task.args) ?? operatorHint(task.operator),
    );
  const around = group?.fanOut.matrix ?? null;
  const fanOut = task.expand === null ? null : toFanOut(task.expand, outputOf(task, conversion), around);
  if (fanOut !== null && !fanOut.ok)
    return failing(fanOut.reason, 'Write `matrix` with a list, or with an expression that gives one.');
  switch (kind) {
    case 'empty':
      return { run: ':' };
    case 'bash':
      return bashBody(task, fanOut, conversion);
    case 'sensor':
    case 'http':
    case 'notebook':
    case 'call':
      if (fanOut !== null) return failing('it is mapped', 'Write `matrix`, or one task for each.');
      try {
        const body = BODIES[kind](task, conversion);
        const fault = faultOf(body, task, conversion);
        return fault === null ? body : failing(fault, operatorHint(task.operator));
      } catch (error) {
        if (error instanceof NotCarried) return failing(error.message, error.hint);
        throw error;
      }
    default:
      return pythonBody(task, fanOut, conversion);
  }
}

const BODIES = { sensor: sensorBody, http: httpBody, notebook: notebookBody, call: callBody } as const;

/** Why a body would not validate; null: it does. What a source holds may be stranger than each reader of it expects. */
function faultOf(body: TaskBody, task: AirflowTask, conversion: Conversion): string | null {
  const { before, taskNames, declared } = conversion;
  const { id } = task;
  const earlier = [...(before.get(id) ?? [])].map((other) => taskNames.give(other));
  const others = Object.fromEntries(earlier.map((name) => [name, { run: ':' }]));
  const group = groupOf(task, conversion);
  const axes = Object.keys(group?.fanOut.matrix ?? {}).map((axis) => [axis, ['x']]);
  const [groups, member] =
    group === null ? [{}, {}] : [{ groups: { x_group: { matrix: Object.fromEntries(axes) } } }, { group: 'x_group' }];
  const tasks = { ...others, [taskNames.give(id)]: { needs: earlier, ...member, ...body } };
  const file = { name: 'x', params: declared, ...groups, tasks };
  const [problem] = parsePipeline('x.yaml', JSON.stringify(file)).problems;
  return problem === undefined ? null : problem.message.replace(/\.$/, '');
}

/** Nothing is executed, so that nothing has a slot; what is waited for is limited inside. */
function waitLimits(
  { wait, call }: TaskBody,
  { timeout, retries }: Record<string, unknown>,
  { id, args }: AirflowTask,
  report: Report,
): Record<string, unknown> {
  if (call !== undefined && retries !== undefined)
    report.changed(
      args.placeOf('retries'),
      `Task "${id}" does not call again when the run that it called fails.`,
      'Give `retries` to the tasks of the called pipeline.',
    );
  if (wait === undefined) return { timeout };
  return timeout === undefined || wait.timeout !== undefined ? {} : { wait: { ...wait, timeout } };
}

/** What the operator was given, so that whoever writes the task again need not look it up. */
function describeArguments({ args, operator }: AirflowTask): string {
  const own = args.left().filter((key) => !WITHOUT_EFFECT.has(key) && !Object.hasOwn(KEY_HINTS, key));
  return [operator, ...own.map((key) => `${key}: ${JSON.stringify(args.peek(key)) ?? ''}`)].join('\n');
}

function ruleOf(task: AirflowTask, report: Report): string | undefined {
  const rule = task.args.take('trigger_rule');
  const isTeardown = task.args.yes('is_teardown');
  if (rule === 'all_done_setup_success' || (isTeardown && rule === undefined)) return 'all_done';
  if (rule === undefined || rule === 'all_success') return undefined;
  if (rule === 'dummy') return 'always';
  if (rule === 'none_failed_or_skipped') return 'none_failed_min_one_success';
  if (TRIGGER_RULES.some((known) => known === rule)) return String(rule);
  report.lost(
    task.args.placeOf('trigger_rule'),
    `There is no rule "${textOf(rule)}".`,
    `Write one of ${TRIGGER_RULES.join(', ')}.`,
  );
  return undefined;
}

function poolName(written: string, args: Args, report: Report): string {
  const name =
    written
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[^a-z]+/, '')
      .slice(0, 63) || 'pool';
  const called =
    name === written ? 'has to exist in each environment' : `is called "${name}", and has to exist in each environment`;
  const hint = `Say how many slots it has in environments/<name>.yaml: \`pools: { ${name}: 4 }\`.`;
  report.changed(args.placeOf('pool'), `The pool "${written}" ${called}.`, hint);
  return name;
}

function timeoutOf(args: Args, report: Report): string | undefined {
  const seconds = args.seconds('execution_timeout');
  if (seconds === undefined) return undefined;
  const timeout = durationOf(seconds);
  if (timeout === null)
    report.lost(args.placeOf('execution_timeout'), `execution_timeout is ${seconds} s.`, 'Write `timeout: 1h`.');
  return timeout ?? undefined;
}
