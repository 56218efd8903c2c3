import type {
  AttemptState,
  AttemptUpdate,
  Batch,
  CachedResult,
  Decision,
  LiveInsert,
  Outcome,
  RunEvent,
  TaskRunChange,
  TaskRunInsert,
  TaskRunUpdate,
} from '#core';
import { advance, BACKFILL_PRIORITY, isTerminal } from '#core';
import { alertsFor, warnedAlerts } from './alerts.ts';
import type { AlertDefaults } from './route-alerts.ts';
import type { CacheAnswer } from './cache/find-cached.ts';
import type { AttemptFacts, Ending } from './live-attempts.ts';
import type { OwnedRun } from './owned-run.ts';
import { mapItem, preparedOf, rememberOutputs } from './owned-run.ts';
import { addApproved, addPublication, commonOf } from './publication.ts';
import { gateQuestion } from './waits/gate-question.ts';

export type BatchRows = { -readonly [K in keyof Omit<Batch, 'processId' | 'worker' | 'runs'>]: Batch[K][number][] };

export function emptyRows(): BatchRows {
  return {
    inserts: [],
    updates: [],
    attempts: [],
    metrics: [],
    versions: [],
    links: [],
    checks: [],
    published: [],
    runUpdates: [],
    alerts: [],
    live: [],
    waits: [],
    counted: [],
    endedCalls: [],
    pools: [],
  };
}

/** Advances one run by its waiting events and adds what follows to `rows`. Returns what must be done after the commit. */
export function addRun(
  rows: BatchRows,
  run: OwnedRun,
  events: readonly RunEvent[],
  facts: AttemptFacts,
  now: number,
  defaults: AlertDefaults,
): Decision[] {
  const pools = new Map<string, number>();
  const endings = addAttempts(rows, run, events, facts, pools, now, defaults);
  const decisions = advance(run.cache, events, now);
  const changes = collapse(decisions);
  addPublished(rows, run, changes);
  for (const change of changes) {
    const task = run.plan.pipeline.tasks[change.taskIndex];
    if (!task) continue;
    if (change.to === 'failed' && change.reason !== null)
      run.failures.set(`${change.taskIndex}/${change.mapIndex}`, change.reason);
    addCached(rows, run, change);
    addApproved(rows, run, change);
    if (change.from === 'none') rows.inserts.push(insertOf(run, change));
    else rows.updates.push(updateOf(run, change, endings.get(`${change.taskIndex}/${change.mapIndex}`)));
    const wait = change.to === 'waiting' ? run.waits.get(`${change.taskIndex}/${change.mapIndex}`) : undefined;
    if (wait) rows.waits.push(wait);
    addEndedCall(rows, run, change);
    if (change.to !== 'ready') continue;
    pools.set(task.pool, pools.get(task.pool) ?? 0);
    run.readyAt.set(`${change.taskIndex}/${change.mapIndex}`, now);
  }
  for (const [pool, freed] of pools) addPool(rows, run.record.environment, pool, freed);
  addLive(rows, run, changes, decisions);
  rows.alerts.push(...alertsFor(run, changes, decisions, defaults));
  for (const decision of decisions) {
    if (decision.kind === 'end-run')
      rows.runUpdates.push({
        runId: run.record.id,
        state: decision.state,
        reason: decision.reason,
        counts: countStates(run),
        knowsStop: run.cache.stopping !== null,
      });
  }
  return decisions;
}

/** Writes of attempts that are still live; what a fenced or finished attempt says is dropped here. */
function addAttempts(
  rows: BatchRows,
  run: OwnedRun,
  events: readonly RunEvent[],
  facts: AttemptFacts,
  pools: Map<string, number>,
  now: number,
  defaults: AlertDefaults,
): Map<string, Ending> {
  const endings = new Map<string, Ending>();
  const marks: Extract<RunEvent, { kind: 'mark' }>[] = [];
  const ended = new Set(events.flatMap((event) => (event.kind === 'ended' ? [event.attemptId] : [])));
  for (const event of events) {
    if (event.kind === 'mark') marks.push(event);
    if (event.kind !== 'started' && event.kind !== 'ended') continue;
    const instance = run.cache.tasks[event.taskIndex]?.instances.get(event.mapIndex);
    if (instance?.attemptId !== event.attemptId) continue;
    const start = facts.starts.get(event.attemptId);
    if (event.kind === 'started') {
      if (start && !ended.has(event.attemptId)) rows.attempts.push(startOf(event.attemptId, start));
      continue;
    }
    const said = facts.endings.get(event.attemptId);
    const task = run.plan.pipeline.tasks[event.taskIndex];
    if (!said || !task) continue;
    const isMarked = instance.mark !== null || marks.some((mark) => namesTaskRun(mark, event));
    const ending = isMarked ? silenced(said) : said;
    endings.set(`${event.taskIndex}/${event.mapIndex}`, ending);
    rows.attempts.push(endOf(ending, start?.pid ?? null));
    pools.set(task.pool, (pools.get(task.pool) ?? 0) + task.slots * facts.replicas(event.attemptId));
    addFindings(rows, run, event.taskIndex, event.mapIndex, instance.number, ending);
    const { taskIndex, mapIndex } = event;
    rows.alerts.push(...warnedAlerts(run, { taskIndex, mapIndex, number: instance.number }, ending.judged, defaults));
    const question = gateQuestion(run, event, instance.number, ending, now);
    if (question !== null) run.waits.set(`${event.taskIndex}/${event.mapIndex}`, question);
  }
  return endings;
}

function namesTaskRun(
  mark: Extract<RunEvent, { kind: 'mark' }>,
  { taskIndex, mapIndex }: { taskIndex: number; mapIndex: number },
): boolean {
  return mark.taskIndex === taskIndex && (mark.mapIndex === null || mark.mapIndex === mapIndex);
}

/** Of an attempt whose task run was marked while it was under way: nothing that it still said counts. */
function silenced({ result }: Ending): Ending {
  return {
    result: { ...result, outputs: {}, metrics: [], versions: [], checks: [], summary: null },
    judged: {
      outcome: { kind: 'cancelled', message: 'its task run was marked while it was under way' },
      ...{ gateClosed: false, asks: null, metrics: [], warning: null, checks: [] },
    },
  };
}

function addFindings(
  rows: BatchRows,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  number: number,
  { result, judged }: Ending,
): void {
  const succeeded = judged.outcome.kind === 'success' && judged.asks === null;
  const common = commonOf(run, taskIndex, mapIndex);
  for (const check of judged.checks) rows.checks.push({ ...common, ...check, number, counted: succeeded });
  for (const point of judged.metrics) rows.metrics.push({ ...common, ...point, number, counted: succeeded });
  if (succeeded) addPublication(rows, run, taskIndex, mapIndex, result);
}

/** Whatever the run that a task called does, the task has come to its end; and so may an output of it. */
function addEndedCall(rows: BatchRows, run: OwnedRun, { from, to, taskIndex, mapIndex }: TaskRunChange): void {
  const task = run.plan.pipeline.tasks[taskIndex];
  if (task?.body.kind !== 'call' || from !== 'waiting' || !isTerminal(to)) return;
  rememberOutputs(run, taskIndex, mapIndex, preparedOf(run, taskIndex, mapIndex).outputs ?? {});
  // Also when it succeeds: it may have been marked so while its run goes on.
  rows.endedCalls.push({ runId: run.record.id, taskId: task.id, mapIndex });
}

/** A task run that never had an attempt and succeeded has its result from an earlier run. */
function addCached(rows: BatchRows, run: OwnedRun, change: TaskRunChange): void {
  const { record, plan } = run;
  const result = cachedResult(run, change);
  if (result === null) return;
  rememberOutputs(run, change.taskIndex, change.mapIndex, result.outputs ?? {});
  rows.links.push({
    environment: record.environment,
    pipeline: record.pipeline,
    runId: record.id,
    taskId: plan.pipeline.tasks[change.taskIndex]?.id ?? '',
    mapIndex: change.mapIndex,
    mapKey: mapItem(run, change.taskIndex, change.mapIndex)?.key ?? '',
    release: record.release,
    intervalStart: record.intervalStart,
    intervalEnd: record.intervalEnd,
    from: result.runId,
    versions: result.versions.length,
  });
}

function cachedResult(run: OwnedRun, { to, number, taskIndex, mapIndex }: TaskRunChange): CachedResult | null {
  return to === 'success' && number === 0 ? (answerOf(run, taskIndex, mapIndex)?.result ?? null) : null;
}

function answerOf(run: OwnedRun, taskIndex: number, mapIndex: number): CacheAnswer | null {
  return preparedOf(run, taskIndex, mapIndex).cache ?? null;
}

/** A fan-out's paths are published when its last task run has succeeded, or skipped itself after others succeeded. */
function addPublished(rows: BatchRows, run: OwnedRun, changes: readonly TaskRunChange[]): void {
  const { id, shadow } = run.record;
  if (shadow) return;
  const ended = changes.filter(({ to }) => to === 'success' || to === 'skipped');
  const done = new Set(ended.map(({ taskIndex }) => taskIndex));
  for (const taskIndex of done) {
    const progress = run.cache.tasks[taskIndex];
    if (progress?.phase !== 'done' || progress.failed > 0) continue;
    if (![...progress.instances.values()].some(({ state }) => state === 'success')) continue;
    for (const path of run.plan.pipeline.tasks[taskIndex]?.writes ?? []) rows.published.push({ runId: id, path });
  }
}

function startOf(attemptId: string, start: { at: number; pid: number | null }): AttemptUpdate {
  return {
    attemptId,
    state: 'running',
    startedAt: start.at,
    finishedAt: null,
    pid: start.pid,
    exitCode: null,
    message: null,
    logLines: null,
  };
}

function endOf({ result, judged }: Ending, pid: number | null): AttemptUpdate {
  const { outcome } = judged;
  return {
    attemptId: result.attemptId,
    state: attemptStateOf(outcome),
    startedAt: result.startedAt,
    finishedAt: result.finishedAt,
    pid,
    exitCode: outcome.kind === 'failed' ? outcome.exitCode : outcome.kind === 'success' ? 0 : null,
    message: 'message' in outcome ? outcome.message : judged.warning,
    logLines: result.logLines,
  };
}

function attemptStateOf(outcome: Outcome): AttemptState {
  return outcome.kind;
}

/** Several changes of one task run within a batch become one row: the first `from`, the last state. */
function collapse(decisions: readonly Decision[]): TaskRunChange[] {
  const changes = new Map<string, TaskRunChange>();
  for (const decision of decisions) {
    if (decision.kind !== 'task-run') continue;
    const key = `${decision.taskIndex}/${decision.mapIndex}`;
    const before = changes.get(key);
    changes.set(key, before ? { ...decision, from: before.from } : decision);
  }
  return [...changes.values()];
}

function insertOf(run: OwnedRun, change: TaskRunChange): TaskRunInsert {
  const { record, plan } = run;
  const task = plan.pipeline.tasks[change.taskIndex];
  const item = mapItem(run, change.taskIndex, change.mapIndex);
  const cached = cachedResult(run, change);
  return {
    runId: record.id,
    taskId: task?.id ?? '',
    mapIndex: change.mapIndex,
    mapKey: item?.key ?? '',
    matrix: item?.values ?? null,
    environment: record.environment,
    pipeline: record.pipeline,
    state: change.to,
    pool: task?.pool ?? '',
    slots: task?.slots ?? 1,
    priority: (task?.priority ?? 0) + (record.trigger === 'backfill' ? BACKFILL_PRIORITY : 0),
    ...(task?.resources === undefined ? {} : { resources: task.resources }),
    ...(task?.replicas === undefined ? {} : { replicas: task.replicas }),
    intervalStart: record.intervalStart,
    inputs: preparedOf(run, change.taskIndex, change.mapIndex).inputs,
    reason: change.reason,
    cache: answerOf(run, change.taskIndex, change.mapIndex)?.note ?? null,
    outputs: cached?.outputs ?? null,
    summary: cached?.summary ?? null,
  };
}

function updateOf(run: OwnedRun, change: TaskRunChange, ending: Ending | undefined): TaskRunUpdate {
  const leavesWaiting = change.from === 'waiting';
  const prepared = preparedOf(run, change.taskIndex, change.mapIndex);
  const item = leavesWaiting ? mapItem(run, change.taskIndex, change.mapIndex) : null;
  const succeeded = change.to === 'success';
  const cached = cachedResult(run, change);
  const made = ending?.result ?? run.approved.get(`${change.taskIndex}/${change.mapIndex}`);
  return {
    runId: run.record.id,
    taskId: run.plan.pipeline.tasks[change.taskIndex]?.id ?? '',
    mapIndex: change.mapIndex,
    from: change.from,
    state: change.to,
    retriesUsed: change.retriesUsed,
    lost: change.lost,
    deferred: change.deferred,
    retryAt: change.retryAt,
    startedAt: ending?.result.startedAt ?? null,
    reason: change.reason ?? (succeeded ? (ending?.judged.warning ?? null) : null),
    gateClosed: change.gateClosed,
    inputs: leavesWaiting ? prepared.inputs : null,
    matrix: item?.values ?? null,
    mapKey: item?.key ?? null,
    outputs:
      succeeded && made && Object.keys(made.outputs).length > 0
        ? made.outputs
        : (cached?.outputs ?? prepared.outputs ?? null),
    summary: ending?.result.summary ?? cached?.summary ?? null,
    cache: leavesWaiting ? (answerOf(run, change.taskIndex, change.mapIndex)?.note ?? null) : null,
  };
}

function addPool(rows: BatchRows, environment: string, pool: string, freed: number): void {
  const index = rows.pools.findIndex((row) => row.environment === environment && row.pool === pool);
  const before = rows.pools[index];
  if (before) rows.pools[index] = { ...before, freed: before.freed + freed };
  else rows.pools.push({ environment, pool, freed });
}

/** Wide fan-outs would make events as wide: beyond this many a screen refetches. */
const MAX_LIVE_TASK_RUNS = 200;

function addLive(
  rows: BatchRows,
  run: OwnedRun,
  changes: readonly TaskRunChange[],
  decisions: readonly Decision[],
): void {
  const { environment, pipeline, id } = run.record;
  const about = { environment, pipeline, runId: id };
  const live: LiveInsert[] = [];
  if (changes.length > 0) {
    const taskRuns = changes.slice(0, MAX_LIVE_TASK_RUNS).map((change) => ({
      taskId: run.plan.pipeline.tasks[change.taskIndex]?.id ?? '',
      mapIndex: change.mapIndex,
      state: change.to,
    }));
    live.push({ environment, runId: id, payload: { kind: 'tasks', ...about, taskRuns } });
  }
  for (const decision of decisions)
    if (decision.kind === 'end-run')
      live.push({ environment, runId: id, payload: { kind: 'run', ...about, state: decision.state } });
  rows.live.push(...live);
}

function countStates(run: OwnedRun): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const task of run.cache.tasks)
    for (const instance of task.instances.values()) counts[instance.state] = (counts[instance.state] ?? 0) + 1;
  return counts;
}
