import type { z } from 'zod';
import {
  isTerminal,
  lookAtPast,
  splitKey,
  type CompiledPipeline,
  type CompiledTask,
  type Matrix,
  type TaskState,
} from '#core';
import type { waitingReason } from '#contracts';
import { apiQueries } from '#store';
import type { ReadContext } from './read-context.ts';
import { findRun, pipelineOfRun, type RunRow } from './run-reads.ts';
import { whyReady } from './why-ready.ts';

export type WaitingReason = z.infer<typeof waitingReason>;
type TaskRunRow = Awaited<ReturnType<typeof apiQueries.readTaskRuns>>[number];

/** A run has many task runs; the first so many that wait say enough. */
const MOST_REASONS = 500;
const MOST_TASK_RUNS = 20_000;
const ACTIVE: readonly TaskState[] = ['ready', 'queued', 'running', 'retrying', 'lost'];

/**
 * For everything of a run that has not started and has not ended: the rule that holds it, and who stands before it.
 * For tasks with a cache, in ended runs too: what came of it.
 */
export async function readWhyWaiting(context: ReadContext, runId: string): Promise<WaitingReason[]> {
  const run = await findRun(context, runId);
  if (run.state === 'queued') return whyQueued(context, run);
  const rows = await apiQueries.readTaskRuns(context.db, runId, MOST_TASK_RUNS);
  if (run.state !== 'running')
    return withItems(rows.flatMap((row) => whyCached(row) ?? []).slice(0, MOST_REASONS), rows);
  const waits = new Map((await apiQueries.readWaits(context.db, runId)).map((wait) => [keyOf(wait), wait]));
  const pipeline = (await pipelineOfRun(context, run))?.pipeline ?? null;
  const waiting = rows.filter(({ state }) => state === 'waiting').flatMap((row) => waits.get(keyOf(row)) ?? []);
  const pasts = await whyPast(context, run.id, waiting);
  const hindered = rows.some(({ state }) => state === 'queued')
    ? await apiQueries.readHindrances(context.db, runId)
    : [];
  const notes = new Map(hindered.map((row) => [keyOf(row), row.note]));
  const reasons = [
    ...(await whyReady(context, run, MOST_REASONS)),
    ...pasts,
    ...rows.flatMap((row) => whyWaits(row, waits.get(keyOf(row))) ?? whyRow(row, notes.get(keyOf(row))) ?? []),
    ...(pipeline ? pipeline.tasks.flatMap((task) => whyNotYet(run, pipeline, task, rows)) : []),
    ...rows.flatMap((row) => whyCached(row) ?? []),
  ];
  return withItems(reasons.slice(0, MOST_REASONS), rows);
}

function withItems(reasons: readonly WaitingReason[], rows: readonly TaskRunRow[]): WaitingReason[] {
  const keys = new Map(rows.map((row) => [keyOf(row), row.mapKey]));
  return reasons.map((reason) => {
    const mapKey = keys.get(`${reason.taskId}/${reason.mapIndex}`) ?? '';
    return mapKey === '' ? reason : { ...reason, mapKey };
  });
}

async function whyQueued({ db, now }: ReadContext, run: RunRow): Promise<WaitingReason[]> {
  const place = await apiQueries.readQueuePlace(db, run.id);
  if (place === null) return [];
  const { position, maxActiveRuns, holders, usualMs, pausedBy } = place;
  const about = { taskId: null, mapIndex: null };
  if (pausedBy !== null) {
    const { backfill, reason } = pausedBy;
    const because = reason === null ? '' : `: ${reason}`;
    const text =
      backfill === null
        ? `${run.pipeline} is paused in ${run.environment}${because}.`
        : `Backfill ${backfill} is paused.`;
    return [{ ...about, rule: 'paused', text, position: null, holders: [] }];
  }
  const many = maxActiveRuns === 1 ? 'one run' : `${maxActiveRuns} runs`;
  const text =
    holders.length < maxActiveRuns && position === 1
      ? 'The scheduler is about to start it.'
      : `At most ${many} of ${run.pipeline} may be active in ${run.environment}; ${position - 1} queued before this one.`;
  // One of so many places becomes free every share of what a run usually takes.
  const begins = usualMs === null ? null : now().getTime() + Math.ceil((position * usualMs) / maxActiveRuns);
  const startsAt = begins === null ? null : new Date(begins).toISOString();
  return [{ ...about, rule: 'max_active_runs', text, position, holders: [...holders], startsAt }];
}

type WaitRow = Awaited<ReturnType<typeof apiQueries.readWaits>>[number];

/** What holds tasks that depend on the interval before, as it is now. */
async function whyPast(
  { store }: Pick<ReadContext, 'store'>,
  runId: string,
  waits: readonly WaitRow[],
): Promise<WaitingReason[]> {
  const pasts = waits.filter(({ kind }) => kind === 'past');
  const found = await store.pastOf(pasts.map(({ tasks }) => ({ runId, tasks })));
  return pasts.map(({ taskId, mapIndex, what, tasks }, place) => {
    const { detail, holder } = lookAtPast(found[place] ?? null, tasks);
    const text = `Waits for ${what}: ${detail}.`;
    return { taskId, mapIndex, rule: 'past', text, position: null, holders: holder === null ? [] : [holder] };
  });
}

/** What it waits for, what the last look found, when the next one is and how it ends otherwise. */
function whyWaits({ taskId, mapIndex, state }: TaskRunRow, wait: WaitRow | undefined): WaitingReason | [] | null {
  if (state !== 'waiting' || wait === undefined) return null;
  // Told with who holds it.
  if (wait.kind === 'past') return [];
  const { kind, what, detail, nextCheckAt, timeoutAt, onTimeout, groups } = wait;
  const asks = kind === 'approve';
  const whom = groups.length === 0 ? 'somebody who may approve here' : `one of ${groups.join(', ')}`;
  const text = [
    asks ? `Asks ${whom}: ${what}` : `Waits for ${what}.`,
    ...(asks || detail === null ? [] : [`Last look: ${detail}.`]),
    ...(asks || nextCheckAt === null ? [] : [`Next look at ${nextCheckAt}.`]),
    ...(timeoutAt === null ? [] : [`It ${onTimeout === 'fail' ? 'fails' : 'is skipped'} at ${timeoutAt}.`]),
  ].join(' ');
  return { taskId, mapIndex, rule: asks ? 'approval' : 'wait', text, position: null, holders: [] };
}

function keyOf({ taskId, mapIndex }: Pick<TaskRunRow, 'taskId' | 'mapIndex'>): string {
  return `${taskId}/${mapIndex}`;
}

function whyRow({ taskId, mapIndex, state, reason, retryAt }: TaskRunRow, hindrance?: string): WaitingReason | null {
  const about = { taskId, mapIndex, position: null, holders: [] };
  switch (state) {
    case 'waiting':
      return { ...about, rule: 'data', text: reason ?? 'The data it reads is not there yet.' };
    case 'retrying':
      return {
        ...about,
        rule: 'retry',
        text: `The next try is due ${retryAt ?? 'soon'}.${reason ? ` Last: ${reason}` : ''}`,
      };
    case 'lost':
      return { ...about, rule: 'retry', text: 'The process that executed it died; it is tried again at once.' };
    case 'queued':
      return {
        ...about,
        rule: 'executor',
        text: hindrance ?? 'Handed to the executor; it starts when a process is free.',
      };
    default:
      return null;
  }
}

function whyCached({ taskId, mapIndex, cachedFrom, cacheWhy }: TaskRunRow): WaitingReason | null {
  if (cacheWhy === null) return null;
  const text = `${cachedFrom === null ? 'Executed' : 'Cached'}. ${cacheWhy}`;
  const holders = cachedFrom === null ? [] : [`${cachedFrom}/${taskId}`];
  return { taskId, mapIndex, rule: 'cache', text, position: null, holders };
}

function whyNotYet(
  run: RunRow,
  pipeline: CompiledPipeline,
  task: CompiledTask,
  rows: readonly TaskRunRow[],
): WaitingReason[] {
  const own = rows.filter((row) => row.taskId === task.id);
  const about = { taskId: task.id, position: null };
  if (own.length > 0) {
    const active = own.filter((row) => ACTIVE.includes(row.state)).length;
    const more = literalSize(task, own) - own.length;
    const before = task.upstream.filter((id) => follows(task, id, pipeline) && !hasEnded(id, rows));
    if (before.length > 0) {
      const text = `Its other items begin when they have ended in ${before.join(', ')}, each by itself (rule ${task.when}).`;
      return [{ ...about, mapIndex: null, rule: 'needs', text, holders: before.map((id) => `${run.id}/${id}`) }];
    }
    // How many more there are of lists that belong to items of a group, only those who have worked them out know.
    const isUnknown = task.inner !== undefined && literalSize(task, own) === 0;
    if (task.maxParallel === 0 || active < task.maxParallel || (more <= 0 && !isUnknown)) return [];
    const holders = own
      .filter((row) => ACTIVE.includes(row.state))
      .slice(0, 10)
      .map(() => `${run.id}/${task.id}`);
    const text = isUnknown
      ? `What else there is of this fan-out waits: max_parallel is ${task.maxParallel}.`
      : `${more} more of this fan-out wait: max_parallel is ${task.maxParallel}.`;
    return [{ ...about, mapIndex: null, rule: 'max_parallel', text, holders: [...new Set(holders)] }];
  }
  const needs = task.final ? pipeline.tasks.filter((other) => !other.final).map((other) => other.id) : task.upstream;
  const open = needs.filter((id) => !hasEnded(id, rows));
  if (open.length > 0) {
    const named = open.slice(0, 5).join(', ') + (open.length > 5 ? `, and ${open.length - 5} more` : '');
    const text = task.final
      ? `It comes last; these have not ended: ${named}.`
      : `It needs ${named} (rule ${task.when}).`;
    return [
      { ...about, mapIndex: null, rule: 'needs', text, holders: open.slice(0, 10).map((id) => `${run.id}/${id}`) },
    ];
  }
  const active = rows.filter((row) => ACTIVE.includes(row.state));
  if (pipeline.maxActiveTasks === 0 || active.length < pipeline.maxActiveTasks) return [];
  const text = `max_active_tasks is ${pipeline.maxActiveTasks}, and as many task runs are active.`;
  const holders = [...new Set(active.map((row) => `${run.id}/${row.taskId}`))].slice(0, 10);
  return [{ ...about, mapIndex: null, rule: 'max_active_tasks', text, holders }];
}

/** True: each item of the task comes after the same one of the other. */
function follows({ group }: CompiledTask, id: string, { tasks, groups }: CompiledPipeline): boolean {
  if (group === undefined || !groups?.[group]?.matrix) return false;
  return tasks.some((task) => task.id === id && task.group === group);
}

function hasEnded(taskId: string, rows: readonly TaskRunRow[]): boolean {
  const own = rows.filter((row) => row.taskId === taskId);
  return own.length > 0 && own.every((row) => isTerminal(row.state));
}

/** How many task runs it has; 0: an expression says so. Items without a list of their own have one each. */
function literalSize({ matrix, inner }: CompiledTask, own: readonly TaskRunRow[]): number {
  const items = sizeOf(matrix);
  if (inner === undefined) return items;
  const size = sizeOf(inner.matrix);
  const whole = own.filter(({ mapKey }) => splitKey(mapKey) === null).length;
  return size === 0 ? 0 : (items - whole) * size + whole;
}

function sizeOf(matrix: Matrix | null): number {
  return matrix?.kind === 'literal' ? Object.values(matrix.axes).reduce((size, axis) => size * axis.length, 1) : 0;
}
