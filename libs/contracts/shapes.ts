import { z } from 'zod';
import {
  ALERT_EVENTS,
  ATTEMPT_STATES,
  CHECK_STATES,
  MARKED_STATES,
  MOST_MAP_INDEX,
  PROMOTION_STATES,
  RIGHTS,
  RUN_STATES,
  TASK_STATES,
  VERDICTS,
  WAIT_KINDS,
} from '#core';

/** Every instant is ISO 8601 in UTC; every id is a string; absent values are null. */
const instant = z.string();
const id = z.string();

export const runState = z.enum(RUN_STATES);
export const taskState = z.enum(TASK_STATES);
export const attemptState = z.enum(ATTEMPT_STATES);

/** A mistake in a file: 1-based line and column. */
export const problem = z.object({
  file: z.string(),
  line: z.number(),
  column: z.number(),
  message: z.string(),
  hint: z.string().optional(),
});

export const interval = z.object({ start: instant, end: instant });

export const runBar = z.object({
  id,
  state: runState,
  createdAt: instant,
  durationMs: z.number().nullable(),
  intervalStart: instant.nullable(),
});

export const pipelineSummary = z.object({
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  tags: z.array(z.string()),
  /** For people: `30 2 * * * Europe/Berlin`, `every 15m`, `manual`. */
  schedule: z.string(),
  paused: z.boolean(),
  /** Why it was paused by itself; absent: it is not, or somebody paused it. */
  pausedReason: z.string().optional(),
  nextFireAt: instant.nullable(),
  /** Newest last, at most 30. */
  lastRuns: z.array(runBar),
  release: id,
  /** Not empty: the file is broken, nothing fires. */
  problems: z.array(problem),
  activeRuns: z.number(),
  /** Scheduled intervals since the schedule's start; absent or null: the pipeline is not behind. */
  catchUp: z.object({ done: z.number(), total: z.number() }).nullable().optional(),
});
export type PipelineSummary = z.infer<typeof pipelineSummary>;

export const graphTask = z.object({
  id: z.string(),
  kind: z.enum(['run', 'node', 'python', 'notebook', 'spark', 'sql', 'http', 'uses', 'wait', 'approve', 'call']),
  upstream: z.array(z.string()),
  reads: z.array(z.string()),
  writes: z.array(z.string()),
  metrics: z.array(z.string()),
  when: z.string(),
  mapped: z.boolean(),
  /** `mapped`: its tasks share a fan-out, each item of which goes its own way. Null: it is in none. */
  group: z.object({ id: z.string(), mapped: z.boolean() }).nullable(),
  final: z.boolean(),
  /** 1-based line in the pipeline's file. */
  line: z.number(),
  /** Where a task that comes from parts was written, nearest first: `_all.yaml:3`; empty: in the pipeline's file alone. */
  origin: z.array(z.string()),
});

/** Layered left to right; coordinates in CSS pixels of the node's top left corner. */
export const graphLayout = z.object({
  width: z.number(),
  height: z.number(),
  nodes: z.array(z.object({ id: z.string(), x: z.number(), y: z.number(), width: z.number(), height: z.number() })),
  /** Frames around the tasks of groups; none where a layout is too plain to keep others out of them. */
  groups: z.array(z.object({ id: z.string(), x: z.number(), y: z.number(), width: z.number(), height: z.number() })),
  edges: z.array(
    z.object({ from: z.string(), to: z.string(), points: z.array(z.object({ x: z.number(), y: z.number() })) }),
  ),
});

export const pipelineDetail = pipelineSummary.extend({
  file: z.string(),
  source: z.string(),
  params: z.record(z.string(), z.record(z.string(), z.unknown())),
  tasks: z.array(graphTask),
  layout: graphLayout,
  maxActiveRuns: z.number(),
  catchup: z.string(),
  /** Next fires, at most five. */
  nextFires: z.array(z.object({ at: instant, intervalStart: instant, intervalEnd: instant })),
});
export type PipelineDetail = z.infer<typeof pipelineDetail>;

const fire = z.object({
  /** When the run is created. */
  at: instant,
  /** What the clocks of the schedule's zone show then, `2026-03-29 03:00`, and their offset, `+02:00`. */
  local: z.string(),
  offset: z.string(),
  intervalStart: instant,
  intervalEnd: instant,
  /** What the clocks did since the fire before, or that they show this time twice; else null. */
  clocks: z.string().nullable(),
});
/** Fires to come, paused or not; none of a pipeline that time does not start. */
export const schedulePreview = z.object({
  schedule: z.string(),
  timezone: z.string(),
  /** At most ten. */
  next: z.array(fire),
  /** Around the next two changes of the clocks, at most six around each. */
  aroundChanges: z.array(fire),
});
export type SchedulePreview = z.infer<typeof schedulePreview>;

/** What somebody said that it counts as, whatever became of it. */
export const markSaid = z.object({
  as: z.enum(MARKED_STATES),
  by: z.string(),
  reason: z.string(),
  at: instant,
});
export type MarkSaid = z.infer<typeof markSaid>;

/** Runs × tasks. `cells` is base64: run by run, one byte per task: index into GRID_CELLS. */
export const grid = z.object({
  /** `group`: the one it is in; null: none. */
  tasks: z.array(z.object({ id: z.string(), mapped: z.boolean(), final: z.boolean(), group: z.string().nullable() })),
  /** Oldest first. */
  runs: z.array(
    z.object({
      id,
      state: runState,
      createdAt: instant,
      startedAt: instant.nullable(),
      finishedAt: instant.nullable(),
      intervalStart: instant.nullable(),
      release: id,
      trigger: z.string(),
    }),
  ),
  cells: z.string(),
  /** Of each run (`taskId` null) and of each task in it the last mark; `mapIndex` null: it is about all of the task. */
  marks: z.array(markSaid.extend({ runId: id, taskId: z.string().nullable(), mapIndex: z.number().nullable() })),
  /** Pass as `before` for older runs; null: no more. */
  before: id.nullable(),
});
export type Grid = z.infer<typeof grid>;

/** What came of an event that was sent. */
export const eventOutcome = z.object({
  id,
  environment: z.string(),
  name: z.string(),
  key: z.string(),
  /** True: it was sent before with this key, and these are the runs that it started then. */
  repeated: z.boolean(),
  runs: z.array(z.object({ runId: id, pipeline: z.string(), state: z.string(), reason: z.string().nullable() })),
});
export type EventOutcome = z.infer<typeof eventOutcome>;

export const run = z.object({
  id,
  environment: z.string(),
  pipeline: z.string(),
  state: runState,
  release: id,
  dirty: z.boolean(),
  /** `schedule`, `manual`, `backfill`, `rerun`, `smoke`, `verification`, `dataset`, `after`, `event`. */
  trigger: z.string(),
  /** Publishes nothing and alerts nobody: it was to show that a release works, or computes the same again. */
  shadow: z.boolean(),
  /** One sentence: why this run exists. */
  why: z.string(),
  interval: interval.nullable(),
  params: z.record(z.string(), z.unknown()),
  originRun: id.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  deadlineAt: instant.nullable(),
  cancelRequested: z.boolean(),
  /** One sentence for a state that needs one: which task failed, why it was skipped; else null. */
  reason: z.string().nullable(),
  counts: z.record(z.string(), z.number()),
  /** The last mark of the run itself; absent: there is none. */
  marked: markSaid.optional(),
});
export type Run = z.infer<typeof run>;

/** What a task run waits for, and how it stands. */
export const taskWait = z.object({
  kind: z.enum(WAIT_KINDS),
  /** `path landing/_SUCCESS`; of an approval what is asked. */
  what: z.string(),
  since: instant,
  checkedAt: instant.nullable(),
  /** Null: nothing but somebody's answer ends it. */
  nextCheckAt: instant.nullable(),
  timeoutAt: instant.nullable(),
  onTimeout: z.enum(['fail', 'skip']),
  /** What the last look found. */
  detail: z.string().nullable(),
  /** Of an approval: who may answer; empty: whoever has the right to approve. */
  groups: z.array(z.string()),
  /** Of a call: its run. Absent or null: there is none. */
  calledRun: z.string().nullable().optional(),
});
export type TaskWait = z.infer<typeof taskWait>;

export const taskRun = z.object({
  taskId: z.string(),
  mapIndex: z.number(),
  mapKey: z.string(),
  state: taskState,
  tries: z.number(),
  readyAt: instant.nullable(),
  queuedAt: instant.nullable(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  reason: z.string().nullable(),
  /** Run whose task run this one took over; null: executed here. */
  originRun: id.nullable(),
  /** The last mark that names it; absent: there is none. */
  marked: markSaid.optional(),
  /**
   * What the cache made of it, in one sentence. `from`: the run that executed what it took; null: it was executed.
   * Absent: the task has no cache.
   */
  cache: z.object({ from: id.nullable(), why: z.string() }).optional(),
  progress: z.object({ done: z.number(), total: z.number(), label: z.string() }).nullable(),
  /** Of a task that waits for a condition or a person; absent or null: it does not. */
  wait: taskWait.nullable().optional(),
  /** Tries before the last one, oldest first; absent when the answer does not tell them. */
  earlier: z
    .array(
      z.object({
        number: z.number(),
        state: attemptState,
        queuedAt: instant,
        startedAt: instant.nullable(),
        finishedAt: instant.nullable(),
      }),
    )
    .optional(),
});
export type TaskRun = z.infer<typeof taskRun>;

export const runDetail = run.extend({
  tasks: z.array(graphTask),
  layout: graphLayout,
  taskRuns: z.array(taskRun),
  source: z.string(),
  /** Runs that started this one, oldest first: by the data at `path`, or by their end (null). At most 100. */
  startedBy: z.array(z.object({ runId: id, pipeline: z.string(), path: z.string().nullable() })),
  /** Event that started it. */
  event: z.object({ name: z.string(), key: z.string(), actor: z.string(), at: instant }).nullable(),
  /** Runs that this one started, oldest first. At most 100. */
  started: z.array(z.object({ runId: id, pipeline: z.string(), state: runState, path: z.string().nullable() })),
  /** Tasks that it took over although its release has them otherwise; absent: none. */
  outdated: z.array(z.object({ taskId: z.string(), why: z.string() })).optional(),
  /** Neighbours in time of the same pipeline and environment. */
  previousRun: id.nullable(),
  nextRun: id.nullable(),
});
export type RunDetail = z.infer<typeof runDetail>;

/** Why something that has not started yet waits. */
export const waitingReason = z.object({
  taskId: z.string().nullable(),
  mapIndex: z.number().nullable(),
  /** Of a fan-out: its item. */
  mapKey: z.string().optional(),
  /** `max_active_runs`, `needs`, `past`, `data`, `wait`, `approval`, `pool`, `resources`, `max_parallel`, `max_active_tasks`, `retry`, `executor`, `paused`; `cache` tells of what was not executed, or why it was. */
  rule: z.string(),
  text: z.string(),
  /** 1 = next; null when there is no line to stand in. */
  position: z.number().nullable(),
  /** `RUN/TASK` that hold what is waited for; at most ten. */
  holders: z.array(z.string()),
  /** When it should begin, by what such runs and tasks took before; null or absent: nobody knows. */
  startsAt: instant.nullable().optional(),
});

export const metricValue = z.object({ name: z.string(), value: z.number(), step: z.number().nullable(), at: instant });

export const attempt = z.object({
  id,
  number: z.number(),
  fence: z.number(),
  state: attemptState,
  worker: z.string().nullable(),
  queuedAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  exitCode: z.number().nullable(),
  message: z.string().nullable(),
  logLines: z.number().nullable(),
  /** How many execute it together; absent: its task has no replicas. */
  replicas: z.number().optional(),
  metrics: z.array(metricValue),
});

export const taskRunDetail = taskRun.extend({
  run,
  task: graphTask,
  attempts: z.array(attempt),
  /** What was or will be executed, expressions resolved, secrets never in it. */
  command: z.string(),
  env: z.record(z.string(), z.string()),
  inputs: z.array(
    z.object({
      name: z.string(),
      versions: z.array(
        /** `environment`: the task's own, or one that a grant lets it read. */
        z.object({ environment: z.string(), location: z.string(), version: z.string(), manifestHash: z.string() }),
      ),
    }),
  ),
  published: z.array(
    z.object({
      name: z.string(),
      location: z.string(),
      version: z.string(),
      manifestHash: z.string(),
      files: z.number(),
      bytes: z.number(),
    }),
  ),
  outputs: z.record(z.string(), z.unknown()),
  summary: z.string().nullable(),
  /** All map indexes of this task, for the table. */
  siblings: z.array(taskRun),
});
export type TaskRunDetail = z.infer<typeof taskRunDetail>;

export const logLine = z.object({
  n: z.number(),
  at: z.number(),
  stream: z.enum(['out', 'err', 'sys']),
  text: z.string(),
  /** Of the replica that wrote it; absent: there are none, or it is about all of them. */
  rank: z.number().optional(),
});
export const logPage = z.object({
  lines: z.array(logLine),
  nextLine: z.number(),
  complete: z.boolean(),
  /** Lines written so far, where that is known without reading them all. */
  total: z.number().optional(),
});
export type LogPageShape = z.infer<typeof logPage>;

/** An executed notebook in Jupyter's own format, as far as it is shown; texts may be whole or in pieces. */
const notebookText = z.union([z.string(), z.array(z.string())]);
const notebookOutput = z.looseObject({
  output_type: z.string(),
  name: z.string().optional(),
  text: notebookText.optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  traceback: z.array(z.string()).optional(),
});
export const notebook = z.looseObject({
  nbformat: z.number(),
  cells: z.array(
    z.looseObject({
      cell_type: z.string(),
      source: notebookText,
      metadata: z.looseObject({ tags: z.array(z.string()).optional() }).optional(),
      execution_count: z.number().nullable().optional(),
      outputs: z.array(notebookOutput).optional(),
    }),
  ),
});
export type NotebookShape = z.infer<typeof notebook>;
export type NotebookOutput = z.infer<typeof notebookOutput>;

export const metricSeries = z.object({
  task: z.string(),
  name: z.string(),
  mapKey: z.string(),
  /** Oldest first; the last value of each run's successful try. */
  points: z.array(
    z.object({ runId: id, at: instant, intervalStart: instant.nullable(), release: id, value: z.number() }),
  ),
});
export type MetricSeries = z.infer<typeof metricSeries>;

export const checkState = z.enum(CHECK_STATES);
export const checkSeries = z.object({
  task: z.string(),
  name: z.string(),
  mapKey: z.string(),
  /** Null: it looks at outputs and metrics. */
  path: z.string().nullable(),
  /** Oldest first; the last try of each run. */
  points: z.array(
    z.object({
      runId: id,
      at: instant,
      intervalStart: instant.nullable(),
      state: checkState,
      /** Looked at, and bad; null: it does not count rows. */
      rows: z.number().nullable(),
      bad: z.number().nullable(),
      detail: z.string(),
    }),
  ),
});
export type CheckSeries = z.infer<typeof checkSeries>;
export const runCheck = z.object({
  taskId: z.string(),
  mapIndex: z.number(),
  mapKey: z.string(),
  number: z.number(),
  name: z.string(),
  path: z.string().nullable(),
  state: checkState,
  rows: z.number().nullable(),
  bad: z.number().nullable(),
  detail: z.string(),
  /** Some of the bad rows. */
  sample: z.array(z.record(z.string(), z.unknown())),
});
export type RunCheck = z.infer<typeof runCheck>;

export const alertDelivery = z.object({
  id,
  at: instant,
  event: z.enum(ALERT_EVENTS),
  environment: z.string(),
  pipeline: z.string(),
  runId: id,
  /** Null: it is about a run. */
  promotionId: id.nullable(),
  /** `slack:#channel`, `email:a@b`. */
  target: z.string(),
  state: z.enum(['pending', 'sent', 'rejected', 'muted']),
  tries: z.number(),
  title: z.string(),
  /** What the other side said last. */
  detail: z.string().nullable(),
  sentAt: instant.nullable(),
  nextTryAt: instant.nullable(),
});
export type AlertDelivery = z.infer<typeof alertDelivery>;

export const systemStatus = z.object({
  version: z.string(),
  startedAt: instant,
  schedulerLagMs: z.number(),
  /** That of the database which is open longest: until it ends vacuum removes nothing. Null: none is open. */
  oldestTransaction: z
    .object({
      pid: z.number(),
      application: z.string(),
      user: z.string(),
      state: z.string(),
      startedAt: instant,
      openMs: z.number(),
    })
    .nullable(),
  pools: z.array(
    z.object({ environment: z.string(), name: z.string(), slots: z.number(), used: z.number(), ready: z.number() }),
  ),
  executor: z.object({ kind: z.string(), capacity: z.number(), running: z.number() }),
  runs: z.record(z.string(), z.number()),
});
export type SystemStatus = z.infer<typeof systemStatus>;

/** Right and environment (`*`: all of them) that a token has. */
export const grantedRight = z.object({
  right: z.enum(RIGHTS),
  environment: z.string().regex(/^(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/, 'expected the name of an environment, or *'),
});
/** A token as lists show it: never the token itself. */
export const token = z.object({
  name: z.string(),
  groups: z.array(z.string()),
  rights: z.array(grantedRight),
  createdBy: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  /** To the minute. */
  lastUsedAt: instant.nullable(),
});
export type Token = z.infer<typeof token>;
/** The only time that the token itself is told. */
export const createdToken = token.extend({ token: z.string() });
export type CreatedToken = z.infer<typeof createdToken>;

export const whoami = z.object({
  name: z.string(),
  groups: z.array(z.string()),
  rights: z.array(grantedRight),
});
export type WhoAmI = z.infer<typeof whoami>;

/** One record of the audit trail; its hash covers the record before it. */
export const auditRecord = z.object({
  seq: z.number(),
  at: instant,
  actor: z.string(),
  action: z.string(),
  environment: z.string().nullable(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
  previous: z.string(),
  hash: z.string(),
});
export type AuditRecordShape = z.infer<typeof auditRecord>;
export const auditVerdict = z.discriminatedUnion('whole', [
  z.object({ whole: z.literal(true), records: z.number(), hash: z.string() }),
  /** `seq`: the first record that is not as it was written, or that is missing. */
  z.object({ whole: z.literal(false), seq: z.number(), reason: z.string() }),
]);
export type AuditVerdict = z.infer<typeof auditVerdict>;

export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    problems: z.array(problem).optional(),
  }),
});

// ---- requests

/** True: every task is executed, whatever earlier runs have. */
const noCache = z.boolean().default(false);

export const triggerRequest = z.strictObject({
  environment: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
  /** An instant inside the wanted interval, or both ends. */
  at: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  noCache,
});
export const rerunRequest = z.strictObject({
  /** `failed`: failed tasks and what follows them; `all`; `from`: `task` and what follows it. Finished task runs are taken over by reference. */
  mode: z.enum(['failed', 'all', 'from']),
  task: z.string().optional(),
  release: z.enum(['same', 'current']).default('same'),
  noCache,
});
export const metricsIn = z.strictObject({
  points: z
    .array(
      z.strictObject({
        taskId: z.string(),
        mapIndex: z.int().min(0).max(MOST_MAP_INDEX).default(0),
        name: z.string().min(1).max(200),
        value: z.number(),
        step: z.int32().nullable().default(null),
      }),
    )
    .max(1000),
});

export const tokenRequest = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/, 'expected letters, digits, "_", ".", "@" and "-"'),
  groups: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/, 'expected the name of a group'))
    .max(50)
    .default([]),
  rights: z.array(grantedRight).min(1).max(200),
  /** Milliseconds; null: it does not expire. */
  expiresInMs: z.int().min(1000).max(315_360_000_000).nullable().default(null),
});

/** One server-sent event: what changed, so that a screen can refetch or patch just that. `id` orders and resumes. */
export const liveEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), environment: z.string(), pipeline: z.string(), runId: id, state: runState }),
  /** Task runs of one run that changed in one batch. */
  z.object({
    kind: z.literal('tasks'),
    environment: z.string(),
    pipeline: z.string(),
    runId: id,
    taskRuns: z.array(z.object({ taskId: z.string(), mapIndex: z.number(), state: taskState })),
  }),
  z.object({ kind: z.literal('release'), environment: z.string(), release: id }),
  z.object({ kind: z.literal('alert'), environment: z.string(), deliveryId: id }),
  /** A verified run has its verdict. */
  z.object({
    kind: z.literal('verification'),
    environment: z.string(),
    pipeline: z.string(),
    runId: id,
    verdict: z.enum(VERDICTS),
  }),
  /** Its state, its gates or what it waits for changed. */
  z.object({ kind: z.literal('promotion'), environment: z.string(), promotionId: id, state: z.enum(PROMOTION_STATES) }),
  /** Its holds or freezes changed. */
  z.object({ kind: z.literal('stand'), environment: z.string() }),
  z.object({
    kind: z.literal('progress'),
    environment: z.string(),
    pipeline: z.string(),
    runId: id,
    taskId: z.string(),
    mapIndex: z.number(),
    done: z.number(),
    total: z.number(),
    label: z.string(),
  }),
]);
export type LiveEvent = z.infer<typeof liveEvent>;
