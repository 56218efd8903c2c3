import type { AttemptResult, ClaimedRun, Clock, EngineStore, Executor, LoadedTaskRun, Storage } from '#core';
import { withOverlay } from '#dag';
import { fillBackfills } from './backfill/fill-backfill.ts';
import { endedResult } from './ended-result.ts';
import type { RunPlan } from './graph-of.ts';
import { planRun } from './graph-of.ts';
import type { AppliedEnvironment, Environments, Observer, Pipelines } from './ports.ts';
import type { RunOwner } from './run-owner.ts';
import { workerOf } from './worker-of.ts';

/** Runs claimed at one look. */
const CLAIM = 500;
const MAX_PLANS = 5000;

export interface RunIntakeOptions {
  readonly processId: string;
  readonly store: EngineStore;
  readonly executor: Pick<Executor, 'outlivesProcess'>;
  readonly storageFor: (environment: string) => Storage;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  readonly clock: Clock;
  readonly observer: Observer;
}

/** Fills backfills, starts queued runs, claims runs and gives them to the owner. What cannot be loaded now is tried again at the next look. */
export class RunIntake {
  private readonly plans = new Map<string, RunPlan>();
  /** Runs whose pipeline or environment is missing: told once. */
  private readonly unknown = new Set<string>();
  private taking: Promise<void> | null = null;
  private takeAgain = false;
  /** Runs may be ours of which nothing was heard: the next look finds them. */
  mayHaveMissed = false;
  /** Known to go on: filled whenever a run may have ended, not only once a second. */
  private backfilling = false;

  constructor(
    private readonly options: RunIntakeOptions,
    private readonly owner: RunOwner,
  ) {}

  /** One look at a time; a call while one is under way makes another follow, and resolves after it. */
  take(): Promise<void> {
    this.takeAgain = true;
    this.taking ??= this.takeAll().finally(() => (this.taking = null));
    return this.taking;
  }

  /** Gives backfills their next runs. */
  async backfill(): Promise<void> {
    const { created, goOn } = await fillBackfills(this.options, this.options.clock.now());
    this.backfilling = goOn;
    if (created > 0) this.options.observer.event('runs-created', { count: created });
  }

  async idle(): Promise<void> {
    await this.taking?.catch(() => undefined);
  }

  private async takeAll(): Promise<void> {
    while (this.takeAgain) {
      this.takeAgain = false;
      await this.takeOnce();
    }
  }

  private async takeOnce(): Promise<void> {
    const { store, observer } = this.options;
    const { toReload } = this.owner;
    if (this.backfilling) await this.backfill();
    const activated = await store.activateRuns(CLAIM);
    if (activated > 0) observer.event('runs-activated', { count: activated });
    if (this.mayHaveMissed) await this.findMissed();
    const again = [...toReload];
    const claimed = await this.claim(again);
    if (claimed.length < CLAIM) await this.letGo(again.filter((id) => !claimed.some((run) => run.id === id)));
    else this.takeAgain = true;
    if (claimed.length === 0) return;
    // They are leased to us from now on, so whatever goes wrong below they must be remembered.
    for (const { id } of claimed) toReload.add(id);
    observer.event('runs-claimed', { count: claimed.length });
    await this.load(claimed);
  }

  private async claim(again: readonly string[]): Promise<readonly ClaimedRun[]> {
    try {
      return await this.options.store.claimRuns(this.options.processId, CLAIM, again);
    } catch (error) {
      this.mayHaveMissed = true;
      throw error;
    }
  }

  private async findMissed(): Promise<void> {
    const { store, processId } = this.options;
    const known = new Set([...this.owner.runs()].map(({ record }) => record.id));
    const leased = await store.leasedRuns(processId, null);
    this.mayHaveMissed = false;
    for (const runId of leased) if (!known.has(runId)) this.owner.toReload.add(runId);
  }

  /** Runs that were not given back: somebody else's or ended by now; or their rows were locked just then, and they are asked for again. */
  private async letGo(runIds: readonly string[]): Promise<void> {
    if (runIds.length === 0) return;
    const ours = new Set(await this.options.store.leasedRuns(this.options.processId, runIds));
    for (const runId of runIds) if (!ours.has(runId)) this.owner.abandon(runId);
  }

  private async load(records: readonly ClaimedRun[]): Promise<void> {
    const { store, environments, observer } = this.options;
    const ids = records.map((record) => record.id);
    // Before the rows: commands that came before the claim are in the record already.
    const commands = await store.receive(ids);
    if (commands.length > 0) await store.forgetCommands(commands.map(({ id }) => id));
    const [marks, loaded] = await Promise.all([store.marksOf(ids), store.loadTaskRuns(ids)]);
    const rows = new Map<string, LoadedTaskRun[]>();
    for (const row of loaded) {
      const list = rows.get(row.runId);
      if (list) list.push(row);
      else rows.set(row.runId, [row]);
    }
    for (const claimed of records) {
      const isCancelled = commands.some((command) => command.runId === claimed.id && command.kind === 'cancel');
      const record = isCancelled ? { ...claimed, cancelRequested: true } : claimed;
      const environment = environments.get(record.environment);
      try {
        const plan = environment && (await this.planFor(record, environment));
        if (environment && plan) {
          const results = await this.giveUpOrphans(rows.get(record.id) ?? [], environment);
          this.give(record, plan, environment, rows.get(record.id) ?? []);
          // Before what was left behind is heard: a mark holds whatever its attempt still says.
          for (const mark of marks) if (mark.runId === record.id) this.owner.mark(record.id, mark);
          for (const result of results) this.owner.finish(result);
        } else this.tellUnknown(record);
      } catch (error) {
        observer.problem('taking a run', error, { runId: record.id });
      }
    }
  }

  private give(
    record: ClaimedRun,
    plan: RunPlan,
    environment: AppliedEnvironment,
    rows: readonly LoadedTaskRun[],
  ): void {
    this.owner.own(record, plan, environment, rows);
    if (isOverdue(record, this.options.clock.now())) this.owner.push(record.id, { kind: 'stop', verdict: 'timed_out' });
    this.unknown.delete(record.id);
  }

  /** Attempts that a dead process was executing: their fence rises first, then what they left behind is read. */
  private async giveUpOrphans(
    rows: readonly LoadedTaskRun[],
    environment: AppliedEnvironment,
  ): Promise<AttemptResult[]> {
    const { store, processId, executor, storageFor, clock, observer } = this.options;
    const ours = workerOf(executor, processId);
    const orphans = rows.filter(
      ({ attemptId, worker, isAssigned }) =>
        attemptId !== null && worker !== ours && !(executor.outlivesProcess && isAssigned),
    );
    if (orphans.length === 0) return [];
    await store.fenceAttempts(orphans.map((row) => row.attemptId as string));
    observer.event('attempts-lost', { count: orphans.length });
    const results: AttemptResult[] = [];
    for (const { runId, taskId, mapIndex, attemptId, attemptFence } of orphans) {
      const attempt = { attemptId: attemptId as string, fence: attemptFence ?? 0 };
      const evidence = await storageFor(environment.config.name).readEvidence({
        runId,
        taskId,
        mapIndex,
        fence: attempt.fence,
      });
      const lost = { kind: 'lost' as const, message: 'the process that executed it died' };
      results.push(evidence ?? endedResult(runId, attempt, lost, clock.now().getTime()));
    }
    return results;
  }

  private async planFor(record: ClaimedRun, environment: AppliedEnvironment): Promise<RunPlan | null> {
    const key = `${record.release}/${record.pipeline}/${environment.hash}`;
    const known = this.plans.get(key);
    if (known) return known;
    const pipeline = await this.options.pipelines.get(record.release, record.pipeline);
    if (!pipeline) return null;
    const plan = planRun(withOverlay(pipeline, record.environment), environment.config.pools);
    if (this.plans.size > MAX_PLANS) this.plans.clear();
    this.plans.set(key, plan);
    return plan;
  }

  private tellUnknown(record: ClaimedRun): void {
    if (this.unknown.has(record.id)) return;
    this.unknown.add(record.id);
    const what = `${record.environment}/${record.pipeline} of release ${record.release} is not known here`;
    this.options.observer.problem('taking a run', new Error(what), { runId: record.id });
  }
}

/** True when the run has lasted longer than its `run_timeout`. */
export function isOverdue(record: ClaimedRun, now: Date): boolean {
  return record.timeoutAt !== null && Date.parse(record.timeoutAt) <= now.getTime();
}
