import type {
  AlertInsert,
  Clock,
  CompiledPipeline,
  DueWork,
  EngineStore,
  Executor,
  Mark,
  ProcessBeat,
  Storage,
  WorkBeside,
} from '#core';
import { withOverlay } from '#dag';
import type { AlertDefaults } from './route-alerts.ts';
import { lateAlerts } from './alerts.ts';
import { Background } from './background.ts';
import type { NextLook } from './fire-schedules.ts';
import { fireSchedules } from './fire-schedules.ts';
import type { Environments, HttpLook, Observer, Pipelines, ReleaseListing } from './ports.ts';
import { pauseFailing, type FailingPipeline } from './pause-failing.ts';
import { projectPaths } from './project-paths.ts';
import { isOverdue, RunIntake } from './run-intake.ts';
import type { RunOwnerOptions } from './run-owner.ts';
import { RunOwner } from './run-owner.ts';
import { startTriggered } from './start-triggered.ts';
import { WAIT_KINDS, WaitLooks } from './waits/look-at-waits.ts';

export interface SchedulerOptions {
  /** Names this process in leases; new with every start. */
  readonly processId: string;
  /** Processes on the same host that are known to be dead share this name and are retired at start. */
  readonly host: string;
  readonly pid: number;
  readonly store: EngineStore;
  readonly executor: Executor;
  readonly storageFor: (environment: string) => Storage;
  readonly releaseFiles: ReleaseListing;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  readonly httpLook: HttpLook;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly alertDefaults: AlertDefaults;
  readonly onProgress: RunOwnerOptions['onProgress'];
  /** A lease outlives its process by at most this. */
  readonly leaseMs: number;
  readonly firesSchedules: boolean;
  /** Told with each tick. */
  readonly onWorkBeside?: (there: WorkBeside) => void;
}

const TICK_MS = 1000;
export const TICKS_PER_SWEEP = 10;
/** Everything is looked at as well, whatever is said to be due. */
const TICKS_PER_LOOK = 3 * TICKS_PER_SWEEP;
/** At an environment's schedules, in one tick: the rest of what is due has to let the others have their turn. */
const MAX_LOOKS = 20;
/** Published data wakes those who wait for it after this long: data that comes together is looked at together. */
const DATA_GATHER_MS = 50;
/** An attempt that said nothing for so long is looked for: was it never sent, or did its report get lost? */
const QUIET_MS = 30_000;

const NOTHING: Omit<DueWork, 'beside'> = {
  inTime: true,
  triggers: false,
  parked: false,
  backfills: false,
  runs: false,
  waits: [],
  late: false,
  releases: {},
};
const EVERYTHING: Omit<DueWork, 'inTime' | 'releases' | 'beside'> = {
  triggers: true,
  parked: true,
  backfills: true,
  runs: true,
  waits: WAIT_KINDS,
  late: true,
};

/** Fires schedules, claims runs and owns them until they end. Every `tick` may be called by hand; `start` calls them on a timer. */
export class Scheduler {
  readonly owner: RunOwner;
  private readonly intake: RunIntake;
  private readonly waits: WaitLooks;
  /** What came, for those who wait for it, until it is told. */
  private readonly told = new Set<string>();
  private readonly nextLook: NextLook = new Map();
  private readonly background = new Background();
  private ticking: Promise<void> | null = null;
  private starting: Promise<void> | null = null;
  private sweeping: Promise<void> | null = null;
  /** Whether the database was told that this process lives. */
  private isKnown = false;
  private lookForTriggers = false;
  private cancelTimer: (() => void) | null = null;
  private ticks = 0;
  private stopped = false;
  /** Milliseconds by which the last tick came late. */
  lagMs = 0;

  constructor(private readonly options: SchedulerOptions) {
    const { store, clock, observer, storageFor } = options;
    this.owner = new RunOwner({
      ...options,
      onCommitted: ({ endedRuns, failing, pointed, awaited, waits, told }) => {
        if (awaited) this.background.add(this.part('starting triggered runs', () => this.startTriggered()));
        if (waits > 0) this.background.add(this.waits.look());
        this.tell(told);
        if (pointed.length > 0) {
          this.background.add(projectPaths(store, storageFor, pointed, observer));
          this.owner.dataArrived();
          clock.schedule(DATA_GATHER_MS, () => this.owner.lookAgain());
        }
        if (failing.length > 0) this.background.add(this.pauseFailing(failing));
        else if (endedRuns > 0) this.wake();
      },
    });
    this.intake = new RunIntake(options, this.owner);
    this.waits = new WaitLooks(options, () => this.background.add(this.part('reading commands', () => this.poke())));
  }

  async start(): Promise<void> {
    await this.tick();
    this.loop();
  }

  /** A hint that there may be runs to take: acts at once, gathers while it acts. */
  wake(): void {
    if (this.stopped) return;
    this.background.add(
      this.intake.take().catch((error: unknown) => this.options.observer.problem('taking runs', error)),
    );
  }

  /** Commands in the inbox are acted on now instead of at the next tick. */
  async poke(): Promise<void> {
    await this.readInbox();
    this.wake();
  }

  /** Everything that time alone can make due. Each part fails alone. */
  tick(): Promise<void> {
    this.ticking ??= this.tickOnce().finally(() => (this.ticking = null));
    return this.ticking;
  }

  /** Resolves when nothing is under way: what follows needs a report, a command or time. */
  async idle(): Promise<void> {
    await this.ticking;
    for (let looks = 0; looks < 2; looks++) {
      await this.intake.idle();
      await this.background.idle();
      await this.owner.idle();
      if (!this.background.isIdle) looks = -1;
    }
  }

  /** Stops taking work and ends the leases, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waits.stop();
    this.cancelTimer?.();
    await this.ticking;
    await this.intake.idle();
    await this.owner.stop();
    await this.background.idle();
    await this.options.store.retire(this.options.processId);
  }

  private async tickOnce(): Promise<void> {
    const asked = await this.dueWork();
    let fired = 0;
    if (this.options.firesSchedules)
      await this.part('firing schedules', async () => void (fired = await this.fire(asked.releases)));
    const sweeps = this.ticks % TICKS_PER_SWEEP === 0;
    const due = this.ticks % TICKS_PER_LOOK === 0 ? EVERYTHING : asked;
    this.ticks += 1;
    // A claim whose connection broke may be committed after we looked for it.
    if (sweeps) this.intake.mayHaveMissed = true;
    if (due.triggers) await this.part('starting triggered runs', () => this.startTriggered());
    if (due.parked) await this.part('giving back runs whose wait is over', () => this.unpark());
    if (due.backfills) await this.part('filling backfills', () => this.intake.backfill());
    if (
      due.runs ||
      fired > 0 ||
      due.backfills ||
      due.parked ||
      this.owner.toReload.size > 0 ||
      this.intake.mayHaveMissed
    )
      await this.part('taking runs', () => this.intake.take());
    await this.part('reading commands', () => this.readInbox());
    if (due.late) await this.part('raising run.late', () => this.raiseLate());
    if (sweeps) await this.part('sweeping', () => this.sweep());
    this.stopOverdue();
    this.owner.lookAgain();
    // Beside the tick: an address may let us wait longer than a lease lasts.
    this.background.add(this.waits.look(due.waits));
  }

  /** With the heartbeat in one question, so that idling costs next to nothing. */
  private async dueWork(): Promise<Omit<DueWork, 'beside'>> {
    const { store, clock, environments } = this.options;
    let asked = NOTHING;
    await this.part('renewing the lease', async () => {
      const names = environments.all().map(({ config }) => config.name);
      const due = await store.dueWork(this.life(), clock.now().getTime(), names);
      asked = due;
      this.isKnown = true;
      this.options.onWorkBeside?.(due.beside);
      if (!due.inTime) await this.sleptTooLong();
    });
    return asked;
  }

  private async part(what: string, act: () => Promise<void>): Promise<void> {
    try {
      if (!this.stopped) await act();
    } catch (error) {
      this.options.observer.problem(what, error);
    }
  }

  private loop(): void {
    if (this.stopped) return;
    const { clock } = this.options;
    const due = clock.now().getTime() + TICK_MS;
    this.cancelTimer = clock.schedule(TICK_MS, () => {
      this.lagMs = Math.max(0, clock.now().getTime() - due);
      void this.tick().then(() => this.loop());
    });
  }

  private life(): ProcessBeat {
    const { processId, host, pid, leaseMs, executor } = this.options;
    const has = executor.resources === undefined ? {} : { resources: executor.resources };
    return { id: processId, kind: 'scheduler', host, pid, ttlMs: leaseMs, isKnown: this.isKnown, ...has };
  }

  private async beat(): Promise<void> {
    if (!(await this.options.store.heartbeat(this.life()))) await this.sleptTooLong();
  }

  /** Every write is guarded; but what was taken over meanwhile must not go on here. */
  private async sleptTooLong(): Promise<void> {
    this.options.observer.event('leases-lost', { processId: this.options.processId });
    await this.owner.checkLeases();
  }

  /** Returns how many runs it created. */
  private async fire(releases: DueWork['releases']): Promise<number> {
    const { store, pipelines, environments, clock, observer } = this.options;
    let created = 0;
    for (const environment of environments.all()) {
      const { name } = environment.config;
      const release = releases[name];
      if (release === undefined) continue;
      const pauses = (pipeline: CompiledPipeline) => pauseFailing(this.options, { pipeline, environment });
      for (let [looks, more] = [0, true]; more && looks < MAX_LOOKS && !this.stopped; looks++) {
        // Looks go on for seconds when thousands of pipelines fire at once.
        if (looks > 0) await this.beat();
        const now = clock.now();
        const fired = await fireSchedules(store, pipelines, { environment, release, now }, this.nextLook, pauses);
        ({ more } = fired);
        created += fired.created;
        if (fired.created > 0) observer.event('runs-created', { environment: name, count: fired.created });
        for (const problem of fired.problems)
          observer.problem('firing a schedule', new Error(problem.message), { pipeline: problem.pipeline });
      }
    }
    return created;
  }

  /** One look at a time; a call while one is under way makes another follow. */
  private startTriggered(): Promise<void> {
    if (!this.options.firesSchedules) return Promise.resolve();
    this.lookForTriggers = true;
    this.starting ??= this.startAllTriggered().finally(() => (this.starting = null));
    return this.starting;
  }

  private async startAllTriggered(): Promise<void> {
    const { clock, observer } = this.options;
    while (this.lookForTriggers && !this.stopped) {
      const { created, more } = await startTriggered(this.options, clock.now());
      this.lookForTriggers = more;
      if (created === 0) continue;
      observer.event('runs-created', { count: created });
      this.wake();
    }
  }

  private async readInbox(): Promise<void> {
    const ids = [...this.owner.runs()].map((run) => run.record.id);
    if (ids.length === 0) return;
    const { store } = this.options;
    const commands = await store.receive(ids);
    const unheard: string[] = [];
    for (const command of commands)
      if (command.kind === 'cancel') this.owner.push(command.runId, { kind: 'stop', verdict: 'cancelled' });
      else if (command.kind === 'slots') this.owner.admit([command.payload as { environment: string; pool: string }]);
      else if (command.kind === 'wait')
        this.owner.waitEnded(command.runId, String(command.payload.taskId), Number(command.payload.mapIndex ?? 0));
      else if (command.kind === 'mark' && !this.owner.mark(command.runId, command.payload as unknown as Mark))
        unheard.push(command.runId);
    // Parked meanwhile: marks are read when the run is claimed again.
    if (unheard.length > 0) await store.unpark(unheard);
    if (commands.length > 0) await store.forgetCommands(commands.map(({ id }) => id));
  }

  private async unpark(): Promise<void> {
    await this.options.store.unparkDue(this.options.clock.now().getTime());
  }

  /** Gathers for a moment: what ends or is published together is told together, once. */
  private tell(subjects: readonly string[]): void {
    const { store, clock } = this.options;
    const isFirst = this.told.size === 0;
    for (const subject of subjects) this.told.add(subject);
    if (!isFirst || this.told.size === 0) return;
    clock.schedule(DATA_GATHER_MS, () => {
      const gathered = [...this.told];
      this.told.clear();
      if (this.stopped) return;
      const hasten = async () => this.waits.look(await store.hastenWaits(gathered, clock.now().getTime()));
      this.background.add(this.part('telling those who wait', hasten));
    });
  }

  /** Before the places of what ended are given to others of the same pipelines. */
  private async pauseFailing(failing: readonly FailingPipeline[]): Promise<void> {
    for (const one of failing)
      await this.part('pausing after failures', async () => void (await pauseFailing(this.options, one)));
    this.wake();
  }

  private async raiseLate(): Promise<void> {
    const { store, pipelines, environments, alertDefaults } = this.options;
    const late = await store.lateRuns(100);
    if (late.length === 0) return;
    const alerts: AlertInsert[] = [];
    for (const run of late) {
      const environment = environments.get(run.environment);
      const pipeline = await pipelines.get(run.release, run.pipeline);
      if (environment && pipeline)
        alerts.push(...lateAlerts(run, withOverlay(pipeline, run.environment), environment, alertDefaults));
    }
    await store.raiseLate(
      late.map((run) => run.id),
      alerts,
    );
  }

  private async sweep(): Promise<void> {
    const { store, storageFor, observer } = this.options;
    this.owner.admit(await store.sweep());
    const sweepStorage = async (): Promise<void> => {
      const behind = await store.unprojected(500);
      if (behind.length > 0) await projectPaths(store, storageFor, behind, observer);
      await this.askAfterQuietAttempts();
    };
    // Beside the tick: a slow storage must not let the lease run out.
    if (this.sweeping !== null) return;
    this.sweeping = this.part('sweeping', sweepStorage).finally(() => (this.sweeping = null));
    this.background.add(this.sweeping);
  }

  /** What a crash left committed and unsent is sent again; an attempt whose report was lost is ended by its evidence. */
  private async askAfterQuietAttempts(): Promise<void> {
    const quiet = [...this.owner.quietAttempts(this.options.clock.now().getTime() - QUIET_MS)];
    for (const { run, attempt, started } of quiet) {
      const { record, plan } = run;
      const taskId = plan.pipeline.tasks[attempt.taskIndex]?.id ?? '';
      const key = { runId: record.id, taskId, mapIndex: attempt.mapIndex, fence: attempt.fence };
      const evidence = await this.options.storageFor(record.environment).readEvidence(key);
      if (evidence) this.owner.finish(evidence);
      else if (!started) this.owner.send(run, [attempt]);
    }
  }

  private stopOverdue(): void {
    for (const run of this.owner.runs())
      if (run.cache.stopping === null && isOverdue(run.record, this.options.clock.now()))
        this.owner.push(run.record.id, { kind: 'stop', verdict: 'timed_out' });
  }
}
