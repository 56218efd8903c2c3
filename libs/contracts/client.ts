import type { z } from 'zod';
import { followStream, type FollowOptions } from './follow-stream.ts';
import { send, type ClientOptions, type Query } from './request.ts';
import type * as actingShapes from './acting-shapes.ts';
import type * as backfillShapes from './backfill-shapes.ts';
import type * as environmentShapes from './environment-shapes.ts';
import type * as historyShapes from './history-shapes.ts';
import type * as promotionShapes from './promotion-shapes.ts';
import type * as releaseShapes from './release-shapes.ts';
import type * as shapes from './shapes.ts';
import type * as verificationShapes from './verification-shapes.ts';

// Types only: zod stays out of whoever imports this file.
type Environment = environmentShapes.Environment;
type PipelineSummary = z.infer<typeof shapes.pipelineSummary>;
type PipelineDetail = z.infer<typeof shapes.pipelineDetail>;
type Grid = z.infer<typeof shapes.grid>;
type Run = z.infer<typeof shapes.run>;
type RunDetail = z.infer<typeof shapes.runDetail>;
type SchedulePreview = z.infer<typeof shapes.schedulePreview>;
type EventOutcome = z.infer<typeof shapes.eventOutcome>;
export type WaitingReason = z.infer<typeof shapes.waitingReason>;
type TaskRunDetail = z.infer<typeof shapes.taskRunDetail>;
export type LogLineShape = z.infer<typeof shapes.logLine>;
type LogPageShape = z.infer<typeof shapes.logPage>;
type MetricSeries = z.infer<typeof shapes.metricSeries>;
type AlertDelivery = z.infer<typeof shapes.alertDelivery>;
type SystemStatus = z.infer<typeof shapes.systemStatus>;
type LiveEvent = z.infer<typeof shapes.liveEvent>;
export type PreviewRequest = z.input<typeof environmentShapes.previewRequest>;
export type ReleaseRequest = z.input<typeof releaseShapes.releaseRequest>;
export type ReleaseTestsRequest = z.input<typeof releaseShapes.releaseTestsRequest>;
export type PlanRequest = z.input<typeof promotionShapes.planRequest>;
export type PromotionRequest = z.input<typeof promotionShapes.promotionRequest>;
export type RollbackRequest = z.input<typeof promotionShapes.rollbackRequest>;
export type DecisionRequest = z.input<typeof promotionShapes.decisionRequest>;
export type FreezeRequest = z.input<typeof promotionShapes.freezeRequest>;
export type TokenRequest = z.input<typeof shapes.tokenRequest>;
export type TriggerRequest = z.input<typeof shapes.triggerRequest>;
export type RerunRequest = z.input<typeof shapes.rerunRequest>;
export type AnswerRequest = z.input<typeof actingShapes.answerRequest>;
export type MarkRequest = z.input<typeof actingShapes.markRequest>;
export type BulkRequest = z.input<typeof actingShapes.bulkRequest>;
export type BackfillRequest = z.input<typeof backfillShapes.backfillRequest>;
export type PruneRequest = z.input<typeof historyShapes.pruneRequest>;
export type GcRequest = z.input<typeof verificationShapes.gcRequest>;
export type MetricsIn = z.input<typeof shapes.metricsIn>;

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; null: that was the last page. */
  readonly next: string | null;
}

/** Where a path's data lies; `version` and what follows are null while nothing was published there. */
export interface ResolvedPath {
  readonly location: string;
  readonly folder: string | null;
  readonly version: string | null;
  readonly manifestHash: string | null;
  readonly runId: string | null;
  readonly publishedAt: string | null;
}

/** What the live stream says: something changed, or "you may have missed something, fetch again". */
export type LiveMessage =
  { readonly kind: 'event'; readonly id: string | null; readonly event: LiveEvent } | { readonly kind: 'reset' };

export interface AttemptAddress {
  readonly runId: string;
  readonly task: string;
  readonly map?: number;
  /** Absent: the newest try. */
  readonly try?: number;
}

export { uploadRelease, type ReleaseContents, type UploadOptions } from './upload-release.ts';
export type SluiceClient = ReturnType<typeof createClient>;

/** The HTTP API as functions; see routes.md. Every failure is a SluiceError (see `send`). Works in a browser and in Node. */
export function createClient(options: ClientOptions) {
  /** Compiling ten thousand files, or sending large ones, takes longer than a screen would wait. */
  const patient = { ...options, timeoutMs: options.timeoutMs ?? 300_000 };
  const get = async <T>(path: string, query?: Query): Promise<T> =>
    (await (await send(options, 'GET', path, { query })).json()) as T;
  const post = async <T>(path: string, body?: unknown): Promise<T> =>
    (await (await send(options, 'POST', path, { body: body ?? {} })).json()) as T;
  const items = async <T>(path: string, query?: Query): Promise<readonly T[]> =>
    (await get<{ items: readonly T[] }>(path, query)).items;
  const run = (id: string): string => `/runs/${encodeURIComponent(id)}`;
  const pipeline = (name: string): string => `/pipelines/${encodeURIComponent(name)}`;
  const release = (ref: string): string => `/releases/${encodeURIComponent(ref)}`;
  const backfill = (id: string): string => `/backfills/${encodeURIComponent(id)}`;
  const promotion = (id: string): string => `/promotions/${encodeURIComponent(id)}`;
  const environment = (name: string): string => `/environments/${encodeURIComponent(name)}`;
  const task = (at: AttemptAddress): string => `${run(at.runId)}/tasks/${encodeURIComponent(at.task)}`;

  return {
    environments: () => items<Environment>('/environments'),
    /** What the configuration of `to` has that `from` has not. */
    environmentDiff: (from: string, to: string) =>
      get<environmentShapes.EnvironmentDiff>(`${environment(from)}/diff`, { with: to }),
    /** Configurations as they were applied, newest first. */
    configurations: (env: string, limit?: number) =>
      items<environmentShapes.AppliedConfiguration>(`${environment(env)}/configurations`, { limit }),
    drift: (env: string) => get<environmentShapes.EnvironmentDrift>(`${environment(env)}/drift`),
    /** Makes a preview, or points it at another release and lets it live longer. */
    createPreview: (body: PreviewRequest) => post<Environment>('/previews', body),
    removePreview: async (env: string): Promise<void> => {
      await send(options, 'DELETE', `/previews/${encodeURIComponent(env)}`);
    },
    /** `source`: `REPO#REF`. */
    follow: async (env: string, source: string): Promise<Environment> =>
      (await (await send(options, 'PUT', `${environment(env)}/follow`, { body: { source } })).json()) as Environment,
    unfollow: async (env: string): Promise<Environment> =>
      (await (await send(options, 'DELETE', `${environment(env)}/follow`)).json()) as Environment,
    pipelines: (env: string) => items<PipelineSummary>('/pipelines', { env }),
    pipeline: (name: string, env: string) => get<PipelineDetail>(pipeline(name), { env }),
    schedule: (name: string, env: string) => get<SchedulePreview>(`${pipeline(name)}/schedule`, { env }),
    grid: (name: string, query: { env: string; runs?: number; before?: string | undefined }) =>
      get<Grid>(`${pipeline(name)}/grid`, query),
    metrics: (
      name: string,
      query: { env: string; task?: string | undefined; name?: string | undefined; limit?: number | undefined },
    ) => items<MetricSeries>(`${pipeline(name)}/metrics`, query),
    checks: (name: string, query: { env: string; task?: string | undefined; limit?: number | undefined }) =>
      items<shapes.CheckSeries>(`${pipeline(name)}/checks`, query),
    runChecks: (id: string) => items<shapes.RunCheck>(`${run(id)}/checks`),
    trigger: (name: string, body: TriggerRequest) => post<Run>(`${pipeline(name)}/runs`, body),
    pause: (name: string, environment: string) => post<PipelineSummary>(`${pipeline(name)}/pause`, { environment }),
    unpause: (name: string, environment: string) => post<PipelineSummary>(`${pipeline(name)}/unpause`, { environment }),

    runs: (query: {
      env: string;
      pipeline?: string | undefined;
      state?: string | undefined;
      from?: string | undefined;
      to?: string | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    }) => get<Page<Run>>('/runs', query),
    run: (id: string) => get<RunDetail>(run(id)),
    why: (id: string) => items<WaitingReason>(`${run(id)}/why`),
    cancel: (id: string) => post<Run>(`${run(id)}/cancel`),
    /** Answers what a task asks. */
    answer: (id: string, task: string, body: AnswerRequest) =>
      post<actingShapes.AnswerResult>(`${run(id)}/tasks/${encodeURIComponent(task)}/approvals`, body),
    rerun: (id: string, body: RerunRequest) => post<actingShapes.RerunResult>(`${run(id)}/rerun`, body),
    /** Says what the run, or something of it, counts as. */
    mark: (id: string, body: MarkRequest) => post<Run>(`${run(id)}/marks`, body),
    /** The same to many runs, each of which answers for itself. */
    actOnRuns: async (body: BulkRequest): Promise<readonly actingShapes.BulkOutcome[]> =>
      ((await (await send(patient, 'POST', '/runs/bulk', { body })).json()) as { items: actingShapes.BulkOutcome[] })
        .items,
    /** Executes the run again to compare what it writes; see `verification` for what came out. */
    verify: (id: string) => post<verificationShapes.VerificationShape>(`${run(id)}/verify`),
    /** The newest; null: it was never verified. */
    verification: async (id: string) =>
      (await get<{ verification: verificationShapes.VerificationShape | null }>(`${run(id)}/verification`))
        .verification,
    /** What the run `to` differs in from `from`. */
    runDiff: (from: string, to: string) =>
      get<verificationShapes.RunDiffShape>(`${run(from)}/diff/${encodeURIComponent(to)}`),
    /**
     * `key`: of the event, so that it can be sent again; without one each is another. `sender`: the run whose task sends
     * it, so that runs which start each other are seen to.
     */
    sendEvent: async (
      name: string,
      env: string,
      payload: unknown,
      { key, sender }: { key?: string | undefined; sender?: string | undefined } = {},
    ): Promise<EventOutcome> => {
      const headers = {
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(sender === undefined ? {} : { 'sluice-run': sender }),
      };
      const path = `/events/${encodeURIComponent(name)}?${new URLSearchParams({ env })}`;
      return (await (await send(options, 'POST', path, { body: payload, headers })).json()) as EventOutcome;
    },
    addMetrics: async (id: string, body: MetricsIn): Promise<void> => {
      await send(options, 'POST', `${run(id)}/metrics`, { body });
    },

    taskRun: (at: AttemptAddress) => get<TaskRunDetail>(task(at), { map: at.map }),
    log: (at: AttemptAddress, query: { from?: number; limit?: number } = {}) =>
      get<LogPageShape>(`${task(at)}/log`, { map: at.map, try: at.try, ...query }),
    /** The executed notebook of an attempt. */
    notebook: (at: AttemptAddress) => get<shapes.NotebookShape>(`${task(at)}/notebook`, { map: at.map, try: at.try }),
    searchLog: async (at: AttemptAddress, q: string): Promise<readonly number[]> =>
      (await get<{ lines: number[] }>(`${task(at)}/log/search`, { map: at.map, try: at.try, q })).lines,
    /** Lines of an attempt's log as they are written, from line `from` (default 1) to its end; survives lost connections. */
    async *followLog(
      at: AttemptAddress,
      from = 1,
      follow: FollowOptions = {},
    ): AsyncGenerator<readonly LogLineShape[]> {
      let nextLine = from;
      const open = () => ({ path: `${task(at)}/log/tail`, query: { map: at.map, try: at.try, from: nextLine } });
      for await (const message of followStream(options, open, follow)) {
        if (message.event === 'end') return;
        if (message.event !== 'lines') continue;
        const lines = (JSON.parse(message.data) as LogLineShape[]).filter((line) => line.n >= nextLine);
        nextLine = (lines.at(-1)?.n ?? nextLine - 1) + 1;
        if (lines.length > 0) yield lines;
      }
    },
    /**
     * Changes of the given topics (`env:NAME`, `board:NAME`, `run:ID`) until the signal aborts; resumes after lost connections.
     * Begins with a `reset` once connected, so "fetch on reset, patch on event" misses nothing.
     */
    async *events(topics: readonly string[], follow: FollowOptions = {}): AsyncGenerator<LiveMessage> {
      let lastEventId: string | null = null;
      const open = () => ({
        path: '/events',
        query: { topics: topics.join(',') },
        headers: lastEventId === null ? undefined : { 'last-event-id': lastEventId },
      });
      for await (const message of followStream(options, open, follow)) {
        if (message.event === 'open') {
          // Reconnected with an id: the server itself says `reset` when it cannot replay from there.
          if (lastEventId === null) yield { kind: 'reset' };
          continue;
        }
        if (message.id !== null) lastEventId = message.id;
        if (message.event === 'reset') yield { kind: 'reset' };
        else yield { kind: 'event', id: message.id, event: JSON.parse(message.data) as LiveEvent };
      }
    },

    /** Notes a plan that the scheduler works off; with `dryRun` only tells it. */
    backfill: (body: BackfillRequest) => post<backfillShapes.BackfillPlan>('/backfills', body),
    backfills: (
      query: {
        env?: string | undefined;
        pipeline?: string | undefined;
        limit?: number | undefined;
        cursor?: string | undefined;
      } = {},
    ) => get<Page<backfillShapes.BackfillShape>>('/backfills', query),
    backfillDetail: (id: string) => get<backfillShapes.BackfillDetail>(backfill(id)),
    moveBackfill: (id: string, verb: 'pause' | 'resume' | 'cancel') =>
      post<backfillShapes.BackfillShape>(`${backfill(id)}/${verb}`),
    alerts: (query: { env?: string | undefined; limit?: number | undefined; cursor?: string | undefined } = {}) =>
      get<Page<AlertDelivery>>('/alerts', query),
    testAlerts: async (environment: string, target?: string): Promise<readonly AlertDelivery[]> =>
      (await post<{ items: AlertDelivery[] }>('/alerts/test', { environment, ...(target ? { target } : {}) })).items,
    path: (ref: string, env: string, at?: string, quarantine?: 'true') =>
      get<ResolvedPath>('/paths', { ref, env, at, quarantine }),
    releases: (query: { dirty?: boolean | undefined; limit?: number | undefined; cursor?: string | undefined } = {}) =>
      get<Page<releaseShapes.Release>>('/releases', {
        ...query,
        dirty: query.dirty === undefined ? undefined : String(query.dirty),
      }),
    /** By digest, at least six digits of it, or alias. */
    release: (ref: string) => get<releaseShapes.ReleaseDetail>(release(ref)),
    /** What changed from one to the other. */
    releaseDiff: (from: string, to: string) => get<releaseShapes.ReleaseDiff>(`${release(to)}/diff`, { from }),
    /** SHA-256 of the contents that the server lacks. */
    missingBlobs: async (blobs: readonly { sha256: string; bytes: number }[]): Promise<readonly string[]> =>
      (await post<{ missing: string[] }>('/releases/missing-blobs', { blobs })).missing,
    putBlob: async (sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
      await send(patient, 'PUT', `/releases/blobs/${encodeURIComponent(sha256)}`, { bytes });
    },
    createRelease: async (body: ReleaseRequest): Promise<releaseShapes.Release> =>
      (await (await send(patient, 'POST', '/releases', { body })).json()) as releaseShapes.Release,
    /** `body`: what its tests came to. */
    recordTests: (ref: string, body: ReleaseTestsRequest) =>
      post<releaseShapes.ReleaseTests>(`${release(ref)}/tests`, body),
    plan: (body: PlanRequest) => post<promotionShapes.PromotionPlan>('/plans', body),
    promotions: (
      query: {
        env?: string | undefined;
        release?: string | undefined;
        state?: string | undefined;
        limit?: number;
        cursor?: string | undefined;
      } = {},
    ) => get<Page<promotionShapes.Promotion>>('/promotions', query),
    promotion: (id: string) => get<promotionShapes.PromotionDetail>(promotion(id)),
    promote: (body: PromotionRequest) => post<promotionShapes.PromotionDetail>('/promotions', body),
    rollBack: (body: RollbackRequest) => post<promotionShapes.PromotionDetail>('/rollbacks', body),
    /** With an approver: in the name of somebody whom the token vouches for. */
    decide: (id: string, body: DecisionRequest & { approver?: string | undefined }) =>
      post<promotionShapes.PromotionDetail>(`${promotion(id)}/approvals${body.approver ? '-on-behalf' : ''}`, body),
    overrideGate: (id: string, gate: string, reason: string) =>
      post<promotionShapes.PromotionDetail>(`${promotion(id)}/overrides`, { gate, reason }),
    cancelPromotion: (id: string) => post<promotionShapes.PromotionDetail>(`${promotion(id)}/cancel`),
    /** Where an environment stands: its release, open promotions, holds and freezes. */
    promotionStand: (env: string) => get<promotionShapes.PromotionStand>(`${environment(env)}/promotions`),
    /** The same of every environment, in the order in which releases go through them. */
    board: () => items<promotionShapes.PromotionStand>('/board'),
    setHold: (env: string, ref: string, reason: string) =>
      post<promotionShapes.PromotionStand>('/holds', { environment: env, release: ref, reason }),
    liftHold: (env: string, ref: string) =>
      post<promotionShapes.PromotionStand>('/holds/lift', { environment: env, release: ref }),
    addFreeze: (body: FreezeRequest) => post<promotionShapes.PromotionStand>('/freezes', body),
    liftFreeze: async (env: string, id: string): Promise<promotionShapes.PromotionStand> => {
      const answer = await send(options, 'DELETE', `${environment(env)}/freezes/${encodeURIComponent(id)}`);
      return (await answer.json()) as promotionShapes.PromotionStand;
    },
    archivedRuns: (
      query: {
        env?: string | undefined;
        pipeline?: string | undefined;
        limit?: number | undefined;
        cursor?: string | undefined;
      } = {},
    ) => get<Page<historyShapes.ArchivedRun>>('/history/runs', query),
    archivedRun: (id: string) => get<historyShapes.ArchivedRunDetail>(`/history/runs/${encodeURIComponent(id)}`),
    pruneHistory: async (body: PruneRequest): Promise<historyShapes.PruneReport> =>
      (await (await send(patient, 'POST', '/history/prune', { body })).json()) as historyShapes.PruneReport,
    collectGarbage: async (body: GcRequest): Promise<verificationShapes.GcReport> =>
      (await (await send(patient, 'POST', '/gc', { body })).json()) as verificationShapes.GcReport,
    system: () => get<SystemStatus>('/system'),
    whoami: () => get<shapes.WhoAmI>('/whoami'),
    tokens: () => items<shapes.Token>('/tokens'),
    /** The only answer that ever holds the token itself. */
    createToken: (body: TokenRequest) => post<shapes.CreatedToken>('/tokens', body),
    revokeToken: async (name: string): Promise<void> => {
      await send(options, 'DELETE', `/tokens/${encodeURIComponent(name)}`);
    },
    audit: (query: { env?: string | undefined; limit?: number | undefined; cursor?: string | undefined } = {}) =>
      get<Page<shapes.AuditRecordShape>>('/audit', query),
    verifyAudit: () => get<shapes.AuditVerdict>('/audit/verify'),
    /** Turns a one-time code or a token into the web view's cookie. */
    login: async (body: { code: string } | { token: string }): Promise<void> => {
      await send(options, 'POST', '/login', { body });
    },
    /** A one-time code for the web view: valid once, for ten minutes. */
    loginCode: async (): Promise<string> => (await post<{ code: string }>('/login/codes')).code,
  };
}
