import type { AttemptState, RunState, TaskState } from './states.ts';
import type { AuditEntry } from './audit-chain.ts';
import type { BackfillStore } from './backfill.ts';
import type { AlertMessage } from './ports.ts';
import type { CheckResult, InputBinding, MetricPoint, PublishedVersion } from './attempt.ts';
import type { AlertEvent } from './pipeline.ts';
import type { MarkStore } from './mark-store.ts';
import type { MarkedState } from './mark.ts';
import type { PauseStore } from './pause.ts';
import type { Replicas } from './replicas.ts';
import type { Resources } from './resources.ts';
import type { StoredTaskRun } from './run-cache.ts';
import type { TriggerStore } from './trigger-store.ts';
import type { EarlierInputs } from './verification-store.ts';
import type { WaitKind } from './wait.ts';
import type { WaitInsert, WaitKey, WaitStore } from './wait-store.ts';

/*
 * What the engine asks of the database. Instants are ISO 8601 strings in UTC, ids strings.
 * Every method is one transaction; expected losses are values, broken machinery throws.
 */

/** What created a run: time, a person, another run's data, end or task, an event from outside, a promotion. */
export type RunTrigger =
  'schedule' | 'manual' | 'backfill' | 'rerun' | 'smoke' | 'verification' | 'dataset' | 'after' | 'event' | 'call';

export interface RunRecord {
  readonly id: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly release: string;
  readonly trigger: RunTrigger;
  /** Trigger of the run that this one executes again: what its expressions see. Absent or null: it executes none again. */
  readonly verifiedTrigger?: RunRecord['trigger'] | null;
  /** What it writes is for its own tasks only: nothing is published, nobody is alerted. */
  readonly shadow: boolean;
  /** True: its results are taken from no earlier run. Absent: not asked for. */
  readonly noCache?: boolean;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly originRun: string | null;
  readonly state: RunState;
  /** What somebody said that it counts as. Absent: not asked for; null: nobody did. */
  readonly markedAs?: MarkedState | null;
  readonly cancelRequested: boolean;
  readonly createdAt: string;
  /** Null while it is queued. */
  readonly startedAt: string | null;
  /** Null without `run_timeout`; of a queued run it moves on until the run starts. */
  readonly timeoutAt: string | null;
}

export interface ClaimedRun extends RunRecord {
  readonly leaseToken: string;
}

/** A run to create. `triggerKey` makes scheduled ones unique; null: always a new one. */
export interface NewRun {
  readonly environment: string;
  readonly pipeline: string;
  readonly release: string;
  readonly configHash: string;
  readonly trigger: RunRecord['trigger'];
  readonly triggerKey: string | null;
  readonly shadow: boolean;
  /** Promotion that asked for it. */
  readonly promotionId: string | null;
  /** True: every task is executed, whatever earlier runs have. Absent: not asked for. */
  readonly noCache?: boolean;
  /** Backfill that it is part of. */
  readonly backfillId?: string;
  readonly why: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly originRun: string | null;
  /** `skipped` records a fire that is not executed; `reason` says why. */
  readonly state: 'queued' | 'skipped';
  readonly reason: string | null;
  readonly maxActiveRuns: number;
  readonly queueOrder: number;
  readonly deadlineMs: number | null;
  readonly runTimeoutMs: number | null;
  /** Task runs of `originRun` that are taken over by reference. */
  readonly takeOver: readonly TakenOver[];
  /** Absent: no other run and no event. */
  readonly startedBy?: StartedBy;
}

export interface TakenOver {
  readonly taskId: string;
  readonly mapIndex: number;
  /** Somebody marked it so, and the new run has it so; absent: as it ended. */
  readonly marked?: { readonly state: MarkedState; readonly reason: string };
}

/** What started a run. */
export interface StartedBy {
  /** Runs that published what it waited for; with path null, the one that ended. */
  readonly runs: readonly { readonly runId: string; readonly path: string | null }[];
  readonly event: string | null;
  /** How many runs in a row started each other up to this one. */
  readonly depth: number;
}

export interface LoadedTaskRun extends StoredTaskRun {
  readonly runId: string;
  readonly inputs: readonly InputBinding[] | null;
  readonly matrix: Readonly<Record<string, unknown>> | null;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  /** State of the live attempt. */
  readonly attemptState: AttemptState | null;
  /** Fence that the live attempt was given: its evidence is found by it. The task run's may have risen since. */
  readonly attemptFence: number | null;
  /** Of the live attempt; null: its task has none. */
  readonly replicas: number | null;
  /** Process that was told to execute the live attempt. */
  readonly worker: string | null;
  /** A worker elsewhere has the live attempt, or it waits for one. */
  readonly isAssigned: boolean;
}

export interface TaskRunInsert {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly matrix: Readonly<Record<string, unknown>> | null;
  readonly environment: string;
  readonly pipeline: string;
  readonly state: TaskState;
  readonly pool: string;
  readonly slots: number;
  readonly priority: number;
  /** Absent: it asks for none. */
  readonly resources?: Resources;
  /** Absent: it has none. */
  readonly replicas?: Replicas;
  readonly intervalStart: string | null;
  readonly inputs: readonly InputBinding[] | null;
  readonly reason: string | null;
  readonly cache: CacheNote | null;
  /** Of a cached one. */
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly summary: string | null;
}

/** What is kept of a task run with `cache: true`. */
export interface CacheNote {
  /** Task runs of a task that saw the same have the same. */
  readonly key: string;
  /** Digests of what the key is made of, by what people call it; they tell what differs. */
  readonly parts: Readonly<Record<string, string>>;
  /** The run that executed what this one took; null: it was executed here. */
  readonly from: string | null;
  /** One sentence: why it was taken, or why not. */
  readonly why: string;
}

export interface TaskRunUpdate {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly from: TaskState;
  readonly state: TaskState;
  readonly retriesUsed: number;
  readonly lost: number;
  readonly deferred: number;
  /** Epoch milliseconds. */
  readonly retryAt: number | null;
  readonly startedAt: number | null;
  readonly reason: string | null;
  readonly gateClosed: boolean;
  /** Null keeps what is stored. */
  readonly inputs: readonly InputBinding[] | null;
  readonly matrix: Readonly<Record<string, unknown>> | null;
  readonly mapKey: string | null;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly summary: string | null;
  /** Null keeps what is stored. */
  readonly cache: CacheNote | null;
}

export interface AttemptUpdate {
  readonly attemptId: string;
  readonly state: AttemptState;
  /** Epoch milliseconds. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly pid: number | null;
  readonly exitCode: number | null;
  readonly message: string | null;
  readonly logLines: number | null;
}

export interface MetricInsert extends MetricPoint {
  readonly environment: string;
  readonly pipeline: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly intervalStart: string | null;
  readonly runId: string;
  readonly number: number;
  readonly release: string;
  readonly counted: boolean;
}

export interface CheckInsert extends CheckResult {
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly number: number;
  readonly release: string;
  readonly intervalStart: string | null;
  /** True: of the try that succeeded. */
  readonly counted: boolean;
}

export interface VersionInsert extends PublishedVersion {
  readonly environment: string;
  readonly pipeline: string;
  readonly mapKey: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attemptId: string;
  readonly fence: number;
  readonly release: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  /** Written by a shadow run: nothing points at it, and nobody is shown it. */
  readonly shadow: boolean;
}

/** A task run that ends with what the same task run of an earlier run published: its versions and metrics, by reference. */
export interface ResultLink {
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly release: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  readonly from: string;
  /** How many versions there must still be. */
  readonly versions: number;
}

/** A result that may be taken again. */
export interface CachedResult {
  readonly key: string;
  /** The newest run that has it. */
  readonly runId: string;
  /** The run that executed it. */
  readonly executedIn: string;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly summary: string | null;
  readonly metrics: readonly MetricPoint[];
  readonly versions: readonly {
    readonly path: string;
    readonly location: string;
    readonly version: string;
    readonly manifestHash: string;
    /** True: it was collected as garbage. */
    readonly isGone: boolean;
  }[];
}

/** What the task runs of a task saw in an earlier run. */
export interface EarlierCache {
  readonly runId: string;
  readonly release: string;
  /** By map index. */
  readonly parts: ReadonlyMap<number, CacheNote['parts']>;
}

export interface RunUpdate {
  readonly runId: string;
  readonly state: RunState;
  readonly reason: string | null;
  readonly counts: Readonly<Record<string, number>>;
  /** Decided by somebody who knew that the run was to be stopped. */
  readonly knowsStop: boolean;
}

export interface AlertInsert {
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly event: AlertEvent;
  readonly target: string;
  readonly message: StoredAlert;
  /** `muted` records that nobody will be told, and why. */
  readonly state: 'pending' | 'muted';
  readonly detail: string | null;
}

/** An alert as the outbox holds it: everything but the log's last lines, which are read when it is sent. */
export interface StoredAlert extends Omit<AlertMessage, 'logTail' | 'id'> {
  readonly log: { readonly taskId: string; readonly mapIndex: number; readonly number: number } | null;
}

export interface LiveInsert {
  readonly environment: string;
  readonly runId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** One group commit. Every list may be empty. */
export interface Batch {
  readonly processId: string;
  /** Runs that the batch writes to, with the tokens under which they are owned. */
  readonly runs: readonly { readonly id: string; readonly token: string }[];
  readonly inserts: readonly TaskRunInsert[];
  readonly updates: readonly TaskRunUpdate[];
  readonly attempts: readonly AttemptUpdate[];
  readonly metrics: readonly MetricInsert[];
  readonly versions: readonly VersionInsert[];
  readonly checks: readonly CheckInsert[];
  readonly links: readonly ResultLink[];
  /** Paths that are published whole with this batch, all task runs of a fan-out: those who wait for them are told. */
  readonly published: readonly { readonly runId: string; readonly path: string }[];
  readonly runUpdates: readonly RunUpdate[];
  readonly alerts: readonly AlertInsert[];
  readonly waits: readonly WaitInsert[];
  /** Tries whose metrics and checks are stored and count from now on. */
  readonly counted: readonly (WaitKey & { readonly mapIndex: number; readonly number: number })[];
  /** Calls that ended without their runs, which are stopped if they go on. */
  readonly endedCalls: readonly WaitKey[];
  readonly live: readonly LiveInsert[];
  /** Pools whose slots were freed or for which something became ready. */
  readonly pools: readonly { readonly environment: string; readonly pool: string; readonly freed: number }[];
  /** Worker that the admitted attempts are for. */
  readonly worker: string;
}

export interface Admitted {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attemptId: string;
  readonly number: number;
  readonly fence: number;
  /** How many there was room for; null: its task has none. */
  readonly replicas: number | null;
}

/**
 * `lost`: the leases of these runs are somebody else's. `cancelled`: these runs were to end as if nobody had asked to cancel
 * them. In both cases nothing at all was written, and the batch must be made again without them or knowing of it.
 */
export type Applied =
  | {
      readonly kind: 'applied';
      readonly admitted: readonly Admitted[];
      /** True when there may be a slot for more of what is ready: the next batch of these pools admits it. */
      readonly hasMore: boolean;
      /** Pointers that took a version of the batch. */
      readonly pointed: readonly MovedPointer[];
      /** True when pipelines wait for something of what the batch says. */
      readonly awaited: boolean;
    }
  | { readonly kind: 'lost' | 'cancelled'; readonly runIds: readonly string[] };

export interface ScheduleRecord {
  readonly environment: string;
  readonly pipeline: string;
  readonly activatedAt: string;
  readonly lastEnd: string | null;
  readonly paused: boolean;
}

export interface ActiveRuns {
  readonly environment: string;
  readonly pipeline: string;
  readonly queued: number;
  readonly running: number;
}

/** What may be read of a path. */
export interface PublishedPath {
  readonly location: string;
  readonly version: string;
  readonly manifestHash: string;
  readonly mapKey: string;
  readonly runId: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
}

/** Where a location's pointer stands. */
export interface MovedPointer {
  readonly environment: string;
  readonly location: string;
  /** Null: it shows nothing any more. */
  readonly version: string | null;
  /** Rises with every move of the pointer. */
  readonly fence: string;
}

export interface PendingAlert {
  readonly id: string;
  readonly target: string;
  readonly runId: string;
  readonly environment: string;
  readonly message: StoredAlert;
  readonly tries: number;
  readonly inDoubt: boolean;
  /** Thread of the latest alert that was sent about the same run to the same target. */
  readonly thread: string | null;
}

export interface InboxCommand {
  readonly id: string;
  readonly runId: string;
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface ProcessBeat {
  readonly id: string;
  readonly kind: string;
  readonly host: string;
  readonly pid: number;
  readonly ttlMs: number;
  /** What its attempts together may take. Absent: others decide where they run. */
  readonly resources?: Resources;
  /** True: it said so before, so that it was given up when nothing is known of it. */
  readonly isKnown?: boolean;
}

export interface EngineStore extends TriggerStore, WaitStore, BackfillStore, MarkStore, PauseStore {
  /** Says that this process lives for another `ttlMs` by the database's clock. False: it was already given up; stop owning. */
  heartbeat(process: ProcessBeat): Promise<boolean>;
  /** Ends the leases of every process of this host name; for the only process that may run there, at its start. */
  retireHost(host: string): Promise<void>;
  /** Ends this process's leases at once. */
  retire(processId: string): Promise<void>;

  /**
   * Turns queued runs into running ones as far as `max_active_runs` allows; at most `limit`. Scheduled runs of a paused
   * pipeline and runs of a paused backfill stay queued. Returns how many.
   */
  activateRuns(limit: number): Promise<number>;
  /** Takes running runs that nobody alive owns, and of its own those in `again`; at most `limit`. Their tokens rise. */
  claimRuns(processId: string, limit: number, again?: readonly string[]): Promise<readonly ClaimedRun[]>;
  /** Those of the runs (null: of all) that are leased to this process, running and not parked. */
  leasedRuns(processId: string, runIds: readonly string[] | null): Promise<readonly string[]>;
  loadTaskRuns(runIds: readonly string[]): Promise<readonly LoadedTaskRun[]>;
  /** Raises the fences of these attempts' task runs, so that nothing they still say counts. */
  fenceAttempts(attemptIds: readonly string[]): Promise<void>;
  apply(batch: Batch): Promise<Applied>;

  /**
   * Does `work` and notes it in the audit trail, in one transaction: neither is there without the other. `work` gets a
   * store in that transaction and must use no other.
   */
  audited<T>(work: (store: EngineStore) => Promise<T>, entries: (done: T) => readonly AuditEntry[]): Promise<T>;
  /** Creates runs; a scheduled one whose fire exists already is left out. Returns the ids in order, null for those. */
  createRuns(runs: readonly NewRun[]): Promise<readonly (string | null)[]>;
  getRun(runId: string): Promise<RunRecord | null>;
  /** Notes commands for the owners of runs. */
  send(commands: readonly { runId: string; kind: string; payload: Readonly<Record<string, unknown>> }[]): Promise<void>;
  /** The commands for these runs; they stay until they are forgotten, so that none is lost with an answer. */
  receive(runIds: readonly string[]): Promise<readonly InboxCommand[]>;
  forgetCommands(ids: readonly string[]): Promise<void>;
  /** Ends queued runs that nobody owns yet. Returns how many. */
  endQueued(runIds: readonly string[], state: 'cancelled' | 'skipped' | MarkedState, reason: string): Promise<number>;

  /** Makes sure that every pipeline has a schedule row; returns all of the environment. A manual one that gets a schedule is activated now. */
  syncSchedules(
    environment: string,
    schedules: readonly { pipeline: string; definition: string }[],
  ): Promise<readonly ScheduleRecord[]>;
  /** Rows of these pipelines; one that was never synced has none. */
  schedules(environment: string, pipelines: readonly string[]): Promise<readonly ScheduleRecord[]>;
  /**
   * Creates scheduled runs and notes up to where their pipelines' intervals are handled: both or neither. A run whose
   * fire exists already is left out; a watermark never moves back. Returns how many runs were created.
   */
  fireRuns(
    environment: string,
    runs: readonly NewRun[],
    handled: readonly { readonly pipeline: string; readonly lastEnd: string }[],
  ): Promise<number>;
  setPaused(environment: string, pipeline: string, paused: boolean): Promise<boolean>;
  activeRuns(environment: string): Promise<readonly ActiveRuns[]>;
  /** Runs of a pipeline whose interval starts in [from, to), with what they are marked, oldest first. */
  runsOfIntervals(environment: string, pipeline: string, from: string, to: string): Promise<readonly RunRecord[]>;
  /** Queued and running ones of these pipelines, in the order of their queue. */
  liveRuns(environment: string, pipelines: readonly string[]): Promise<readonly RunRecord[]>;

  /** Versions of a path written by these runs. */
  versionsOfRuns(
    environment: string,
    pipeline: string,
    path: string,
    runIds: readonly string[],
  ): Promise<readonly PublishedPath[]>;
  /** Current versions of a partitioned path whose interval lies within [from, to]. */
  versionsBetween(
    environment: string,
    pipeline: string,
    path: string,
    from: string,
    to: string,
  ): Promise<readonly PublishedPath[]>;
  /** Versions of the newest interval that ends at or before `before` (null: the newest at all). */
  newestVersions(
    environment: string,
    pipeline: string,
    path: string,
    before: string | null,
  ): Promise<readonly PublishedPath[]>;
  /** By key, the newest success of this task that had it; none of shadow runs, none that a rollback took back. */
  cachedResults(
    environment: string,
    pipeline: string,
    taskId: string,
    keys: readonly string[],
  ): Promise<readonly CachedResult[]>;
  /** Of the newest runs, the last that ended this task well with a key, one of the same interval first; null: none. */
  earlierCache(
    environment: string,
    pipeline: string,
    taskId: string,
    intervalStart: string | null,
  ): Promise<EarlierCache | null>;
  /** Task runs of the run whose outputs were collected as garbage, those that it took over included. */
  erasedTaskRuns(runId: string): Promise<readonly { readonly taskId: string; readonly mapIndex: number }[]>;
  /**
   * What a task of run `origin` read, for `runId`, which executes that run again; null: it never began there. `mapIndex`
   * null: all of its task runs read the same.
   */
  earlierInputs(origin: string, runId: string, taskId: string, mapIndex: number | null): Promise<EarlierInputs | null>;
  /** Metrics of the last successful run of this pipeline before this one, by name; the task's own values win over others'. */
  baseline(
    environment: string,
    pipeline: string,
    taskId: string,
    runId: string,
  ): Promise<Readonly<Record<string, number>>>;

  /** Rows that a check counted in the last successful runs before this one, newest first; shadow runs do not count. */
  earlierRows(
    about: Pick<RunRecord, 'id' | 'environment' | 'pipeline'> & {
      readonly taskId: string;
      readonly mapKey: string;
      readonly check: string;
    },
    runs: number,
  ): Promise<readonly number[]>;

  currentRelease(environment: string): Promise<{ readonly release: string; readonly seq: number } | null>;
  /** Points the environment at a release, and says so in the audit trail; false when somebody else moved the pointer since `seq`. */
  pointAt(environment: string, release: ReleaseRecord, seq: number, actor: string): Promise<boolean>;
  applyEnvironment(
    environment: string,
    hash: string,
    content: unknown,
    actor: string,
    pools: Readonly<Record<string, number>>,
  ): Promise<void>;

  /** Pending alerts that are due, one per (run, target) so that order holds; marks them in doubt. */
  takeAlerts(limit: number): Promise<readonly PendingAlert[]>;
  recordAlert(
    id: string,
    result: { state: 'sent' | 'rejected' | 'pending'; thread: string | null; detail: string; retryInMs: number | null },
  ): Promise<void>;
  /** What is worth looking for now, in one question, and a `heartbeat`; `now` is epoch milliseconds by the engine's clock. */
  dueWork(process: ProcessBeat, now: number, environments: readonly string[]): Promise<DueWork>;
  /** Runs past their deadline for which `run.late` was not raised yet. */
  lateRuns(limit: number): Promise<readonly RunRecord[]>;
  /** Marks runs as late and writes their alerts in one commit; alerts of runs that were marked before are left out. */
  raiseLate(runIds: readonly string[], alerts: readonly AlertInsert[]): Promise<void>;
  /** The failed run that a success of this run mends: its origin, else the pipeline's last one that was alerted; null if none. */
  mendedRun(environment: string, pipeline: string, runId: string): Promise<string | null>;
  /** Returns the deliveries' ids. */
  insertAlerts(alerts: readonly AlertInsert[]): Promise<readonly string[]>;
  /** Adds metrics that a program reported over the API for a run, beside those of its attempts. Throws `not_found`. */
  recordMetrics(
    runId: string,
    points: readonly { taskId: string; mapIndex: number; name: string; value: number; step: number | null }[],
  ): Promise<void>;

  /** Pointers that storage does not show yet. */
  unprojected(limit: number): Promise<readonly MovedPointer[]>;
  /** Notes that storage shows them, as far as they have not moved on since. */
  markProjected(items: readonly MovedPointer[]): Promise<void>;

  /** Recounts pool use; deletes old live events and commands that came too late. Returns pools that have something ready. */
  sweep(): Promise<readonly { environment: string; pool: string }[]>;
}

/** Whether there is anything for a scheduler to look at. True may turn out to be nothing; false is certain when it is said. */
export interface DueWork {
  /** What `heartbeat` answers. */
  readonly inTime: boolean;
  /** Data or ends came that pipelines listen to. */
  readonly triggers: boolean;
  /** Runs timed out while they belonged to nobody. */
  readonly parked: boolean;
  readonly backfills: boolean;
  /** Runs are queued, or running without a live owner. */
  readonly runs: boolean;
  /** Kinds of waits that are due. */
  readonly waits: readonly WaitKind[];
  readonly late: boolean;
  /** Digest of what each of the environments runs; those that run nothing are left out. */
  readonly releases: Readonly<Record<string, string>>;
  readonly beside: WorkBeside;
}

/** What there is to do for those that work beside the scheduler. */
export interface WorkBeside {
  readonly alerts: boolean;
  readonly follows: boolean;
  readonly previews: boolean;
  readonly promotions: boolean;
  readonly verifications: boolean;
}

/** What is recorded of a release beside its content. */
export interface ReleaseRecord {
  readonly digest: string;
  readonly alias: string;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly author: string | null;
  readonly message: string | null;
  readonly dirty: boolean;
}
