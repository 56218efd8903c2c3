import type { z } from 'zod';
import type { Caller, PromotionState, RunState } from '#core';
import type {
  AlertDelivery,
  answerRequest,
  AnswerResult,
  AppliedConfiguration,
  ArchivedRun,
  ArchivedRunDetail,
  AuditRecordShape,
  AuditVerdict,
  BackfillDetail,
  BackfillPlan,
  backfillRequest,
  BackfillShape,
  BulkOutcome,
  bulkRequest,
  markRequest,
  decisionRequest,
  Environment,
  EnvironmentDiff,
  EnvironmentDrift,
  EventOutcome,
  SchedulePreview,
  GcReport,
  gcRequest,
  freezeRequest,
  Grid,
  LiveEvent,
  logLine,
  CheckSeries,
  LogPageShape,
  RunCheck,
  metricsIn,
  MetricSeries,
  planRequest,
  previewRequest,
  Promotion,
  PromotionDetail,
  PromotionPlan,
  promotionRequest,
  PromotionStand,
  PruneReport,
  pruneRequest,
  rollbackRequest,
  Release,
  ReleaseDetail,
  ReleaseDiff,
  releaseRequest,
  ReleaseTests,
  releaseTestsRequest,
  PipelineDetail,
  PipelineSummary,
  rerunRequest,
  RerunResult,
  Run,
  RunDiffShape,
  RunDetail,
  SystemStatus,
  TaskRunDetail,
  Token,
  tokenRequest,
  triggerRequest,
  VerificationShape,
  waitingReason,
} from '#contracts';

export type LogLine = z.infer<typeof logLine>;
export type WaitingReason = z.infer<typeof waitingReason>;
/** Where a path's data lies; `folder` and what follows are null while nothing was published there. */
export interface ResolvedPath {
  readonly location: string;
  readonly folder: string | null;
  readonly version: string | null;
  readonly manifestHash: string | null;
  readonly runId: string | null;
  readonly publishedAt: string | null;
}

/** One screenful of a list; `next` continues it, null: that was all. */
export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** Names one task run; ids are as the caller sent them, already known to be well formed. */
export interface TaskRunKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
}

/** Which attempt's log; `number` null: the newest. */
export interface AttemptKey extends TaskRunKey {
  readonly number: number | null;
}

/** What screens and the CLI may ask. Answers are contract shapes; what does not exist is a SluiceError `not_found`. */
export interface Reads {
  environments(): Promise<Environment[]>;
  environmentDiff(from: string, to: string): Promise<EnvironmentDiff>;
  /** Newest first. */
  configurations(environment: string, limit: number): Promise<AppliedConfiguration[]>;
  environmentDrift(environment: string): Promise<EnvironmentDrift>;
  environment(name: string): Promise<Environment>;
  pipelines(environment: string): Promise<PipelineSummary[]>;
  pipelineSummary(environment: string, name: string): Promise<PipelineSummary>;
  pipeline(environment: string, name: string): Promise<PipelineDetail>;
  schedulePreview(environment: string, name: string): Promise<SchedulePreview>;
  grid(environment: string, pipeline: string, options: { runs: number; before: string | null }): Promise<Grid>;
  metricSeries(
    environment: string,
    pipeline: string,
    options: { task: string | null; name: string | null; runs: number },
  ): Promise<MetricSeries[]>;
  /** `among`: only of these environments; null: of all. */
  runs(options: {
    environment: string | null;
    among: readonly string[] | null;
    pipeline: string | null;
    states: readonly RunState[] | null;
    /** Intervals that begin at `from` or later, and end at `to` or earlier. */
    from?: string | null;
    to?: string | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<Run>>;
  run(runId: string): Promise<Run>;
  /** Of a run that was just made of another one. */
  rerun(runId: string): Promise<RerunResult>;
  environmentOfRun(runId: string): Promise<string>;
  runDetail(runId: string): Promise<RunDetail>;
  archivedRuns(options: {
    environment: string | null;
    among: readonly string[] | null;
    pipeline: string | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<ArchivedRun>>;
  archivedRun(runId: string): Promise<ArchivedRunDetail>;
  backfills(options: {
    environment: string | null;
    among: readonly string[] | null;
    pipeline: string | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<BackfillShape>>;
  backfill(id: string): Promise<BackfillShape>;
  environmentOfBackfill(id: string): Promise<string>;
  backfillDetail(id: string): Promise<BackfillDetail>;
  /** The newest; null: the run was never verified. */
  verification(runId: string): Promise<VerificationShape | null>;
  runDiff(from: string, to: string): Promise<RunDiffShape>;
  checkSeries(
    environment: string,
    pipeline: string,
    options: { task: string | null; runs: number },
  ): Promise<CheckSeries[]>;
  runChecks(runId: string): Promise<RunCheck[]>;
  whyWaiting(runId: string): Promise<WaitingReason[]>;
  taskRun(key: TaskRunKey): Promise<TaskRunDetail>;
  log(key: AttemptKey, options: { fromLine: number; limit: number }): Promise<LogPageShape>;
  /** The executed notebook of an attempt: JSON. */
  notebook(key: AttemptKey): Promise<Buffer>;
  /** Line numbers, at most 10,000. */
  searchLog(key: AttemptKey, text: string): Promise<number[]>;
  /** Resolves when the log is complete or the signal aborts. */
  followLog(
    key: AttemptKey,
    fromLine: number,
    onLines: (lines: readonly LogLine[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  alerts(options: {
    environment: string | null;
    among: readonly string[] | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<AlertDelivery>>;
  alertsByIds(ids: readonly string[]): Promise<AlertDelivery[]>;
  /** `at`: an instant inside the wanted interval; null: the newest version. */
  path(environment: string, pipeline: string, path: string, at: Date | null): Promise<ResolvedPath>;
  /** Newest first; `dirty` null: of both kinds. Here and below `among`: only these environments are named; null: all. */
  releases(
    options: { dirty: boolean | null; limit: number; cursor: string | null },
    among: readonly string[] | null,
  ): Promise<Page<Release>>;
  /** By digest, the beginning of one, or alias. */
  release(ref: string, among: readonly string[] | null): Promise<Release>;
  releaseDetail(ref: string, among: readonly string[] | null): Promise<ReleaseDetail>;
  /** What was recorded last. */
  releaseTests(ref: string): Promise<ReleaseTests>;
  releaseDiff(from: string, to: string, among: readonly string[] | null): Promise<ReleaseDiff>;
  /** Newest first; `release` by any of its names. */
  promotions(options: {
    environment: string | null;
    among: readonly string[] | null;
    release: string | null;
    states: readonly PromotionState[] | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<Promotion>>;
  promotion(id: string): Promise<PromotionDetail>;
  environmentOfPromotion(id: string): Promise<string>;
  promotionStand(environment: string): Promise<PromotionStand>;
  /** In the order in which releases go through them. */
  board(among: readonly string[] | null): Promise<PromotionStand[]>;
  promotionPlan(request: z.infer<typeof planRequest>, among: readonly string[] | null): Promise<PromotionPlan>;
  /** `among` as for runs: of the pools and runs of these environments. */
  system(among: readonly string[] | null): Promise<SystemStatus>;
  /** Newest first; of these environments only, or null: all there is. */
  audit(options: {
    environments: readonly string[] | null;
    limit: number;
    cursor: string | null;
  }): Promise<Page<AuditRecordShape>>;
  verifyAudit(): Promise<AuditVerdict>;
}

/** What may be done. Each returns once it is durable. `actor`: who asked, for people, as it stands in a run's `why`. */
export interface Commands {
  trigger(pipeline: string, request: z.infer<typeof triggerRequest>, actor: string): Promise<{ runId: string }>;
  cancelRun(runId: string, actor: string): Promise<void>;
  /** Answers what a task asks; what was answered. */
  answerTask(
    runId: string,
    taskId: string,
    request: z.infer<typeof answerRequest>,
    caller: Caller,
  ): Promise<readonly AnswerResult['answered'][number][]>;
  /** Says what a run, a task of it or one of its task runs counts as. */
  markRun(runId: string, request: z.infer<typeof markRequest>, actor: string): Promise<void>;
  /** Each run answers for itself, in the order given. */
  actOnRuns(
    environment: string,
    runIds: readonly string[],
    action: z.infer<typeof bulkRequest>['action'],
    actor: string,
  ): Promise<BulkOutcome[]>;
  rerunRun(runId: string, request: z.infer<typeof rerunRequest>, actor: string): Promise<{ runId: string }>;
  setPaused(environment: string, pipeline: string, paused: boolean, actor: string): Promise<void>;
  /** Throws `unauthorized` without the signature that the pipelines which wait for it demand. */
  receiveEvent(
    event: {
      readonly environment: string;
      readonly name: string;
      readonly key: string | null;
      readonly body: string;
      readonly payload: unknown;
      readonly proof: { readonly signature: string | undefined; readonly timestamp: string | undefined };
      /** Id of the run whose task sent it. */
      readonly sender: string | null;
    },
    actor: string,
  ): Promise<EventOutcome>;
  /** With `dryRun`, and when there is nothing to do, nothing is created and `id` is null. `release`: a digest. */
  backfill(
    request: z.infer<typeof backfillRequest>,
    actor: string,
  ): Promise<{ readonly id: string | null } & Omit<BackfillPlan, 'backfill'>>;
  pauseBackfill(id: string, actor: string): Promise<void>;
  resumeBackfill(id: string, actor: string): Promise<void>;
  cancelBackfill(id: string, actor: string): Promise<void>;
  /** Sends a test message to the target, or to every target of the environment; ids of the deliveries. */
  testAlerts(environment: string, target: string | null): Promise<readonly string[]>;
  recordMetrics(runId: string, points: z.infer<typeof metricsIn>['points']): Promise<void>;
  /** SHA-256 of those contents that the release store lacks. */
  missingBlobs(blobs: readonly { sha256: string; bytes: number }[]): Promise<string[]>;
  putBlob(sha256: string, content: Buffer): Promise<void>;
  /** Its digest. */
  createRelease(request: z.infer<typeof releaseRequest>, actor: string): Promise<string>;
  recordTests(ref: string, tests: z.infer<typeof releaseTestsRequest>, actor: string): Promise<void>;
  createPreview(request: z.infer<typeof previewRequest>, actor: string): Promise<void>;
  /** Its data goes soon after. */
  removePreview(environment: string, actor: string): Promise<void>;
  /** Its id. The caller's further rights (hotfix, overrides, approver) were looked at before. */
  requestPromotion(request: z.infer<typeof promotionRequest>, caller: Caller): Promise<string>;
  rollBack(request: z.infer<typeof rollbackRequest>, caller: Caller): Promise<string>;
  /** `approver` null: the caller. */
  decidePromotion(
    id: string,
    request: z.infer<typeof decisionRequest> & { readonly approver: string | null },
    caller: Caller,
  ): Promise<void>;
  overrideGate(id: string, gate: string, reason: string, caller: Caller): Promise<void>;
  cancelPromotion(id: string, caller: Caller): Promise<void>;
  setHold(environment: string, release: string, reason: string, caller: Caller): Promise<void>;
  liftHold(environment: string, release: string, caller: Caller): Promise<void>;
  /** Its id. */
  addFreeze(request: z.infer<typeof freezeRequest>, caller: Caller): Promise<string>;
  liftFreeze(environment: string, id: string, caller: Caller): Promise<void>;
  /** The verification's id; of one that goes on already, that one's. */
  verifyRun(runId: string, actor: string): Promise<string>;
  /** `source`: `REPO#REF`. */
  followRemote(environment: string, source: string, caller: Caller): Promise<void>;
  unfollow(environment: string, caller: Caller): Promise<void>;
  /** Throws `unauthorized` unless the proof holds for this body. */
  receivePush(
    body: string,
    proof: { readonly signature: string | undefined; readonly token: string | undefined },
  ): Promise<void>;
  pruneHistory(request: z.infer<typeof pruneRequest>, actor: string): Promise<PruneReport>;
  collectGarbage(request: z.infer<typeof gcRequest>, actor: string): Promise<GcReport>;
}

/** Named tokens; see `NamedTokens`. */
export interface Tokens {
  list(): Promise<readonly Token[]>;
  create(
    request: z.infer<typeof tokenRequest>,
    by: Caller,
  ): Promise<{ readonly token: string; readonly record: Token }>;
  revoke(name: string, by: Caller): Promise<void>;
}

/** What Slack sends; see `SlackDecisions`. */
export interface FromSlack {
  receive(
    body: string,
    proof: { readonly signature: string | undefined; readonly timestamp: string | undefined },
  ): Promise<void>;
}

export interface LiveEventListener {
  /** `id` is what `Last-Event-ID` may carry later. */
  event(id: string, event: LiveEvent): void;
  /** Events up to `id` were missed for good: refetch what is shown. */
  reset(id: string): void;
}

/** Live events of this installation, in commit order. */
export interface Events {
  /** Topics: `env:NAME`, `board:NAME`, `run:ID`. First comes what happened after `lastEventId`, or a reset. Returns how to stop. */
  subscribe(topics: readonly string[], lastEventId: string | null, listener: LiveEventListener): () => void;
}
