import {
  durationMs,
  durationText,
  evaluate,
  type ExpectedLook,
  type FiresTest,
  type PipelineTest,
  type TaskExpectation,
} from '#dag';
import { worstState } from '../scope.ts';
import { taskRefOf, type RunLook, type TaskLook } from './run-look.ts';
import type { SimulatedFire } from './simulate-fires.ts';

/** Something that is not as the test expects it. */
export interface TestFailure {
  /** Within the test. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Everything in which a run, as it was seen, differs from what is expected of it. */
export function judgeLook({ expect, path }: ExpectedLook, seen: RunLook, test: PipelineTest): TestFailure[] {
  const failures: TestFailure[] = [];
  const fail = (below: readonly (string | number)[], message: string) =>
    failures.push({ path: [...path, ...below], message });
  const ended = seen.reason === null ? '' : ` (${seen.reason})`;
  if (expect.state !== undefined && expect.state !== seen.state)
    fail(['state'], `The run is ${seen.state}${ended}; expected ${expect.state}.${waitingText(seen)}`);
  if (expect.reason !== undefined && !(seen.reason ?? '').includes(expect.reason))
    fail(['reason'], `The reason is ${show(seen.reason)}; expected it to contain ${show(expect.reason)}.`);
  if (expect.took !== undefined && durationMs(expect.took) !== seen.tookMs)
    fail(['took'], `The run took ${durationText(seen.tookMs)}; expected ${expect.took}.`);
  for (const [ref, wanted] of Object.entries(expect.tasks ?? {})) {
    const rows = seen.tasks.filter((task) => ref === task.id || ref === taskRefOf(task));
    const below = (key: readonly (string | number)[], message: string) => fail(['tasks', ref, ...key], message);
    if (rows.length === 0) below([], `There is no task run ${ref}.`);
    else
      judgeTask(
        ref,
        typeof wanted === 'string' ? { state: wanted } : wanted,
        typeof wanted === 'string',
        rows,
        test,
        below,
      );
  }
  if (expect.attempts !== undefined)
    judgeList('attempt', expect.attempts, seen.attempts, (index, message) => fail(['attempts', ...index], message));
  if (expect.alerts !== undefined)
    judgeAlerts(expect.alerts, seen.alerts, (index, message) => fail(['alerts', ...index], message));
  return failures;
}

/** The same of the runs that a schedule created. */
export function judgeFires({ at, starts, count }: FiresTest, fires: readonly SimulatedFire[]): TestFailure[] {
  const failures: TestFailure[] = [];
  const compare = (key: 'at' | 'starts', wanted: readonly Date[] | null, seen: readonly Date[]) => {
    if (wanted === null) return;
    judgeList('fire', wanted.map(textOf), seen.map(textOf), (index, message) =>
      failures.push({ path: ['fires', key, ...index], message }),
    );
  };
  compare(
    'at',
    at,
    fires.map((fire) => fire.at),
  );
  compare(
    'starts',
    starts,
    fires.map(({ interval }) => interval.start),
  );
  if (count !== null && count !== fires.length)
    failures.push({ path: ['fires', 'count'], message: `${fires.length} runs are created; expected ${count}.` });
  return failures;
}

type Fail = (below: readonly (string | number)[], message: string) => void;

function judgeTask(
  ref: string,
  wanted: TaskExpectation,
  isShort: boolean,
  rows: readonly TaskLook[],
  test: PipelineTest,
  fail: Fail,
): void {
  const state = worstState(rows.map((row) => row.state));
  const reason = rows.find((row) => row.state === state)?.reason ?? null;
  if (wanted.state !== undefined && state !== wanted.state)
    fail(
      isShort ? [] : ['state'],
      `Task ${ref} is ${state}${reason === null ? '' : ` (${reason})`}; expected ${wanted.state}.`,
    );
  if (wanted.reason !== undefined && !(reason ?? '').includes(wanted.reason))
    fail(['reason'], `The reason of ${ref} is ${show(reason)}; expected it to contain ${show(wanted.reason)}.`);
  for (const row of rows) judgeTaskRun(taskRefOf(row), wanted, row, test, fail);
}

function judgeTaskRun(
  ref: string,
  wanted: TaskExpectation,
  row: TaskLook,
  { pipeline, environment, body }: PipelineTest,
  fail: Fail,
): void {
  if (wanted.tries !== undefined && wanted.tries !== row.tries)
    fail(
      ['tries'],
      `Task ${ref} made ${row.tries} ${row.tries === 1 ? 'attempt' : 'attempts'}; expected ${wanted.tries}.`,
    );
  for (const kind of ['outputs', 'metrics', 'env'] as const)
    for (const [name, value] of Object.entries(wanted[kind] ?? {})) {
      const seen = Object.hasOwn(row[kind], name) ? row[kind][name] : undefined;
      if (!isEqual(seen, value))
        fail([kind, name], `${kind}.${name} of ${ref} is ${show(seen)}; expected ${show(value)}.${unlessEnded(row)}`);
    }
  for (const [path, names] of Object.entries(wanted.wrote ?? {})) {
    const seen = Object.keys(row.wrote[path] ?? {}).sort();
    const list = [names].flat().sort();
    if (!isEqual(seen, list))
      fail(
        ['wrote', path],
        `${ref} wrote ${seen.join(', ') || 'nothing'} to ${path}; expected ${list.join(', ') || 'nothing'}.${unlessEnded(row)}`,
      );
  }
  [wanted.that ?? []].flat().forEach((expr, index) => {
    const scope = {
      ...{ params: body.kind === 'run' ? body.params : {}, env: { name: environment.name, vars: environment.vars } },
      ...{ outputs: row.outputs, metrics: row.metrics, ...(row.env.DS === undefined ? {} : { ds: row.env.DS }) },
      run: { id: '1', trigger: 'test', release: pipeline.name, interval: null },
    };
    const result = evaluate(expr, scope);
    const why = !result.ok ? result.message : result.value === true ? null : `it is ${show(result.value)}`;
    if (why !== null)
      fail(
        ['that', ...(Array.isArray(wanted.that) ? [index] : [])],
        `\`${expr}\` does not hold for ${ref}: ${why}; outputs ${show(row.outputs)}, metrics ${show(row.metrics)}.`,
      );
  });
}

function judgeList(what: string, wanted: readonly string[], seen: readonly string[], fail: Fail): void {
  const index = [...wanted, ...seen].findIndex((_, at) => wanted[at] !== seen[at]);
  if (index === -1) return;
  const nth = `The ${what} number ${index + 1}`;
  const message =
    wanted[index] === undefined
      ? `${nth} is ${seen[index] ?? ''}; expected no more.`
      : `${nth} ${seen[index] === undefined ? 'is missing' : `is ${seen[index]}`}; expected ${wanted[index]}.`;
  fail(wanted[index] === undefined ? [] : [index], `${message} All: ${seen.slice(0, 20).join(', ') || 'none'}.`);
}

function judgeAlerts(
  wanted: readonly { readonly on: string; readonly to?: string | undefined; readonly title?: string | undefined }[],
  seen: RunLook['alerts'],
  fail: Fail,
): void {
  const text = (one: { readonly on: string; readonly to?: string | undefined; readonly title?: string | undefined }) =>
    `${one.on}${one.to === undefined ? '' : ` to ${one.to}`}${one.title === undefined ? '' : `: ${one.title}`}`;
  wanted.forEach((alert, index) => {
    const sent = seen[index];
    const fits =
      sent !== undefined &&
      alert.on === sent.on &&
      (alert.to === undefined || alert.to === sent.to) &&
      sent.title.includes(alert.title ?? '');
    if (!fits)
      fail(
        [index],
        `Alert ${index + 1} is ${sent === undefined ? 'missing' : `"${text(sent)}"`}; expected "${text(alert)}".`,
      );
  });
  const more = seen.slice(wanted.length);
  if (more.length > 0)
    fail(
      [],
      `${more.length} more ${more.length === 1 ? 'alert was' : 'alerts were'} sent: ${more.map((one) => `"${text(one)}"`).join(', ')}.`,
    );
}

/** Why a task that did not succeed says and writes nothing. */
function unlessEnded({ state, reason }: TaskLook): string {
  return state === 'success' ? '' : ` It is ${state}${reason === null ? '' : ` (${reason})`}.`;
}

/** What it still waits for, when it does. */
function waitingText({ state, tasks }: RunLook): string {
  const waiting = tasks.filter((task) => task.state === 'waiting');
  if (state !== 'running' || waiting.length === 0) return '';
  return ` ${waiting.map((task) => `${taskRefOf(task)} waits: ${task.reason ?? ''}`).join('; ')}.`;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.keys(b)];
  return (
    left.length === right.length && left.every(([key, value]) => isEqual(value, (b as Record<string, unknown>)[key]))
  );
}

function show(value: unknown): string {
  const text = value === undefined || value === null ? 'nothing' : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}

function textOf(instant: Date): string {
  return instant.toISOString().replace(/(:00)?\.000Z$/, 'Z');
}
