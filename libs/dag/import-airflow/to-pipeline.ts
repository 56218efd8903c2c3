import type { AirflowDag } from './airflow-dag.ts';
import { branchConditions } from './branches.ts';
import { groupOf, type Conversion } from './conversion.ts';
import { hoistDefaults } from './hoist-defaults.ts';
import { mappedGroups, type MappedGroup } from './mapped-groups.ts';
import { Names } from './names.ts';
import { prioritiesOf, reachable } from './priorities.ts';
import type { Project } from './project.ts';
import type { PythonCall } from './python-file.ts';
import type { Report } from './report.ts';
import { toAlerts } from './to-alerts.ts';
import { toParams } from './to-params.ts';
import { durationOf, toSchedule } from './to-schedule.ts';
import { reportLeft, toTask } from './to-task.ts';
import { teardowns, withoutCycles } from './graph.ts';

export interface ConvertedPipeline {
  readonly file: Readonly<Record<string, unknown>>;
  /** Comments by task. */
  readonly comments: ReadonlyMap<string, string>;
  readonly calls: readonly PythonCall[];
  /** Where notebooks were, by the file below dags/ that each is now. */
  readonly notebooks: ReadonlyMap<string, string>;
}

/** A DAG as a pipeline file called `name`; null when it has no tasks. */
export function toPipeline(dag: AirflowDag, name: string, project: Project): ConvertedPipeline | null {
  const { report } = dag;
  if (dag.tasks.length === 0) {
    report.lost(dag.place, `The DAG "${dag.id}" has no tasks, so there is no pipeline.`, 'Leave it out.');
    return null;
  }
  if (name !== dag.id)
    report.changed(dag.place, `The DAG "${dag.id}" is the pipeline "${name}".`, 'Use that name from now on.');
  const conversion = begin({ ...dag, tasks: withoutCycles(dag.tasks, report) }, name, report, project);
  const params = Object.assign(conversion.declared, toParams(dag, conversion.params, report));
  const alerts = toAlerts(dag, report);
  const deadline = slaOf(dag, report);
  const owner = ownerOf(dag);
  const schedule = toSchedule(dag, report, project);
  const { tasks, finals, comments, groups } = tasksOf(conversion, schedule !== undefined);
  const lists = hoistDefaults(tasks, finals);
  noteStrictness(conversion);
  const file: Record<string, unknown> = {
    name,
    description: descriptionOf(dag),
    owner,
    tags: dag.args.texts('tags').filter((tag) => tag !== 'dagfactory'),
    schedule,
    max_active_runs: countOf(dag, 'max_active_runs', 1_000, report),
    max_active_tasks: countOf(dag, 'max_active_tasks', 100_000, report) ?? countOf(dag, 'concurrency', 100_000, report),
    max_consecutive_failed_runs: countOf(dag, 'max_consecutive_failed_dag_runs', 1_000, report),
    run_timeout: timeoutOf(dag, report),
    deadline,
    params,
    paths: pathsOf(lists),
    defaults: lists.defaults,
    groups,
    tasks: lists.tasks,
    finally: lists.finals,
    alerts:
      deadline === undefined || alerts.some((rule) => rule.on.includes('run.late')) ? alerts : alerts.map(andLate),
  };
  reportLeft(dag.args, 'the DAG', report);
  for (const [key, value] of Object.entries(file)) if (isNothing(value)) delete file[key];
  return { file, comments, calls: conversion.calls, notebooks: conversion.notebooks };
}

/** One place for each asset that a task of the pipeline publishes. */
function pathsOf({
  tasks,
  finals,
}: Pick<ReturnType<typeof hoistDefaults>, 'tasks' | 'finals'>): Record<string, string> {
  const written = [...Object.values(tasks), ...Object.values(finals)].flatMap(
    ({ writes }) => (writes as string[]) ?? [],
  );
  return Object.fromEntries(written.map((path) => [path, path]));
}

function begin(dag: AirflowDag, folder: string, report: Report, project: Project): Conversion {
  const taskNames = new Names('_');
  for (const { id, place } of dag.tasks) {
    const given = taskNames.give(id);
    // Dots between groups become underscores by rule; that needs no word.
    if (given !== id.replaceAll('.', '_'))
      report.changed(place, `Task "${id}" is called "${given}".`, 'Use that name from now on.');
  }
  const byId = new Map(dag.tasks.map((task) => [task.id, task]));
  const upstream = new Map(dag.tasks.map((task) => [task.id, task.upstream]));
  const before = new Map(dag.tasks.map(({ id }) => [id, reachable(id, upstream)]));
  return {
    ...{ dag, report, project, folder },
    declared: {},
    params: new Names('_'),
    taskNames,
    byId,
    before,
    mapped: new Map(),
    calls: [],
    notebooks: new Map(),
  };
}

interface Entries {
  readonly tasks: Record<string, Record<string, unknown>>;
  readonly finals: Record<string, Record<string, unknown>>;
  readonly comments: Map<string, string>;
  readonly groups: Record<string, object>;
}

function tasksOf(conversion: Conversion, hasIntervals: boolean): Entries {
  const { dag, taskNames, report } = conversion;
  const priorities = prioritiesOf(dag.tasks, report);
  const final = teardowns(dag.tasks);
  for (const [id, group] of mappedGroups(conversion, final)) conversion.mapped.set(id, group);
  const conditions = branchConditions(dag.tasks, (id) => taskNames.give(id), conversion.mapped);
  const entries: Entries = { tasks: {}, finals: {}, comments: new Map(), groups: {} };
  for (const task of dag.tasks) {
    const name = taskNames.give(task.id);
    const isFinal = final.has(task.id);
    const needs = task.upstream.filter((id) => final.has(id) === isFinal).map((id) => taskNames.give(id));
    const place = {
      needs,
      conditions: conditions.get(task.id) ?? [],
      priority: priorities.get(task.id),
      ...{ final: isFinal, hasIntervals },
    };
    const { entry, comment } = toTask(task, place, conversion);
    const mapped = groupOf(task, conversion);
    const groupId = mapped === null ? task.group : (task.mappedGroup?.id ?? null);
    const group = isFinal || groupId === null ? null : groupName(groupId, conversion);
    if (group !== null) entries.groups[group] = mapped === null ? {} : groupEntry(mapped);
    (isFinal ? entries.finals : entries.tasks)[name] = group === null ? entry : { group, ...entry };
    if (comment !== '') entries.comments.set(name, comment);
  }
  return entries;
}

function groupEntry({ needs, fanOut }: Extract<MappedGroup, { ok: true }>): object {
  return {
    ...(needs.length > 0 ? { needs } : {}),
    matrix: fanOut.matrix,
    ...(fanOut.maxFanout === undefined ? {} : { max_fanout: fanOut.maxFanout }),
  };
}

/** Groups within groups become one: `reports.daily` is `reports_daily`. */
function groupName(id: string, { taskNames, byId }: Conversion): string {
  return taskNames.give(byId.has(id) ? `${id}_group` : id);
}

function descriptionOf({ args }: AirflowDag): string {
  const parts = [args.text('description'), args.text('doc_md')];
  return parts.filter((part) => part !== undefined && part.trim() !== '').join('\n\n');
}

/** The owner of most tasks; Airflow knows none for the DAG. */
function ownerOf({ tasks }: AirflowDag): string | undefined {
  const counts = new Map<string, number>();
  for (const { args } of tasks) {
    const owner = args.text('owner');
    if (owner !== undefined && owner !== '' && owner !== 'airflow') counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** A limit, unless it is what Sluice has anyway. */
function countOf(dag: AirflowDag, key: string, most: number, report: Report): number | undefined {
  const written = dag.args.number(key);
  if (written === undefined || (key === 'max_active_runs' && written === 16)) return undefined;
  const count = Math.min(Math.max(Math.trunc(written), 1), most);
  // Zero is Airflow's word for no limit.
  if (written < 1) return undefined;
  if (count !== written)
    report.changed(dag.args.placeOf(key), `${key} is ${written}; ${count} are kept.`, 'Write another number.');
  return count;
}

function timeoutOf({ args }: AirflowDag, report: Report): string | undefined {
  const seconds = args.seconds('dagrun_timeout');
  const timeout = seconds === undefined ? undefined : (durationOf(seconds) ?? undefined);
  if (seconds !== undefined && timeout === undefined)
    report.lost(args.placeOf('dagrun_timeout'), `dagrun_timeout is ${seconds} s.`, 'Write `run_timeout: 3h`.');
  return timeout;
}

/** Airflow's SLA of a task counts from the end of its interval, which is when the run is created. */
function slaOf({ tasks }: AirflowDag, report: Report): string | undefined {
  let longest = 0;
  for (const { id, args } of tasks) {
    const seconds = args.seconds('sla');
    if (seconds === undefined) continue;
    longest = Math.max(longest, seconds);
    report.changed(
      args.placeOf('sla'),
      `The SLA of task "${id}" counts for the whole run.`,
      'See `deadline` and `run.late` in `alerts`.',
    );
  }
  return longest > 0 ? (durationOf(longest) ?? undefined) : undefined;
}

function andLate<Rule extends { on: string[] }>(rule: Rule): Rule {
  return rule.on.includes('run.failed') ? { ...rule, on: [...rule.on, 'run.late'] } : rule;
}

function noteStrictness({ dag, report }: Conversion): void {
  const compound = dag.tasks.filter(({ operator, args }) => {
    const command = args.peek('bash_command');
    return operator === 'BashOperator' && typeof command === 'string' && /[\n;|]/.test(command.trim());
  });
  if (compound.length === 0) return;
  const names = compound.slice(0, 5).map(({ id }) => `"${id}"`);
  const which = `${names.join(', ')}${compound.length > 5 ? ` and ${compound.length - 5} more` : ''}`;
  report.changed(
    dag.place,
    `bash ends at the first command that fails and at variables that are not set; Airflow's went on, in ${which}.`,
    'Begin a command that has to go on with `set +euo pipefail`.',
  );
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
