import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '#core';
import { until } from '../../apps/standalone/standalone-fixture.ts';
import type { FaultPostgres } from './fault-postgres.ts';
import type { Network } from './network.ts';
import type { Cluster, ClusterProcess } from './worker-cluster.ts';

/** Measured once each time: milliseconds, counts or shares by name; null when there was nothing to measure. */
export type Figures = Readonly<Record<string, number | null>>;

export interface SceneParts {
  readonly cluster: Cluster;
  readonly postgres: FaultPostgres;
  /** Null: nothing stands between the processes. */
  readonly network: Network | null;
  readonly workers: ClusterProcess[];
  /** Called by `upgrade`. */
  readonly onUpgrade: () => void;
  readonly random: () => number;
  readonly days: number;
  /** How long what is paused or away stays so. */
  readonly awayMs: number;
  /** 1: everything lasts as long as its fault says; a short form is in more of a hurry. */
  readonly scale: number;
  readonly timeoutMs: number;
  /** Told in one line what happens. */
  readonly say: (line: string) => void;
}

const RESUMED_MS = 60_000;
const START_AGAIN_MS = 500;
/** A beat of a scheduler says that it lives for so long. */
const SCHEDULER_TTL_MS = 8000;

/** A cluster that catches up, as faults see it. */
export class Scene {
  /** What this round's own checks found. */
  readonly problems: string[] = [];

  constructor(private readonly parts: SceneParts) {}

  get cluster(): Cluster {
    return this.parts.cluster;
  }
  get postgres(): FaultPostgres {
    return this.parts.postgres;
  }
  get network(): Network {
    if (this.parts.network === null) throw new Error('this fault needs a network between the processes');
    return this.parts.network;
  }
  get workers(): ClusterProcess[] {
    return this.parts.workers;
  }
  get say(): (line: string) => void {
    return this.parts.say;
  }
  get awayMs(): number {
    return this.parts.awayMs;
  }

  /** At least `least`, less than `most`. */
  between(least: number, most: number): number {
    return Math.floor(least + this.parts.random() * (most - least));
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from');
    return list[this.between(0, list.length)] as T;
  }

  /** Whatever is started from now on is of this version. */
  upgrade(): void {
    this.parts.onUpgrade();
  }

  wait(ms: number): Promise<void> {
    return delay(this.lasting(ms));
  }

  /** So long in this form. */
  lasting(ms: number): number {
    return ms * this.parts.scale;
  }

  /** Kills a process of the list; it stays in it until it is replaced. */
  async kill(process: ClusterProcess): Promise<void> {
    process.signal('SIGKILL');
    await process.ended;
  }

  /** Started again when it ends because the database or the API is away just then, as whoever supervises it does. */
  async replace(list: ClusterProcess[], gone: ClusterProcess, next: () => Promise<ClusterProcess>): Promise<void> {
    const place = list.indexOf(gone);
    for (const deadline = Date.now() + RESUMED_MS; ;)
      try {
        const one = await next();
        if (place >= 0) list[place] = one;
        return;
      } catch (error) {
        if (!/does not answer|No answer from/.test(String(error)) || Date.now() > deadline) throw error;
        await delay(START_AGAIN_MS);
      }
  }

  /** Attempts that a worker's process has. */
  async heldBy(worker: ClusterProcess): Promise<string[]> {
    const { rows } = await this.cluster.db.query<{ id: string }>(
      `select s.attempt_id::text as id from assignment s join process p on p.id = s.worker
       where p.pid = $1 and p.kind = 'worker' and s.result is null`,
      [worker.pid],
    );
    return rows.map(({ id }) => id);
  }

  /** The state in which a run ended, by the database: the API may be cut off from it just now. */
  async endOf(runId: string): Promise<string> {
    let state = '';
    const ended = `select state from run where id = $1 and finished_at is not null`;
    await until(
      `the end of run ${runId}`,
      async () => {
        const { rows } = await this.cluster.db.query<{ state: string }>(ended, [runId]);
        state = rows[0]?.state ?? '';
        return state !== '';
      },
      RESUMED_MS,
    );
    return state;
  }

  /** Asks the API for what may be asked for twice, until it is there. */
  async patiently(ask: () => Promise<unknown>): Promise<void> {
    const isDone = async (): Promise<boolean> => {
      try {
        await ask();
        return true;
      } catch (error) {
        if (error instanceof SluiceError && ['unavailable', 'timeout'].includes(error.code)) return false;
        throw error;
      }
    };
    await until('an answer of the API', isDone, RESUMED_MS);
  }

  released(attemptIds: readonly string[]): Promise<void> {
    const live = `select 1 from attempt where id = any($1::bigint[]) and state in ('queued', 'running') limit 1`;
    return until(
      'the attempts of a worker to be given up',
      async () => (await this.cluster.db.query(live, [attemptIds])).rowCount === 0,
      RESUMED_MS,
    );
  }

  /** Runs that are leased to a scheduler's process. */
  async ownedBy(scheduler: ClusterProcess): Promise<string[]> {
    const { rows } = await this.cluster.db.query<{ id: string }>(
      `select r.id::text from run r join process p on p.id = r.lease_owner
       where p.pid = $1 and p.kind = 'scheduler' and r.state = 'running'`,
      [scheduler.pid],
    );
    return rows.map(({ id }) => id);
  }

  /** Milliseconds until others have taken over all of these runs, or they have ended. */
  async takenOver(runIds: readonly string[], from: ClusterProcess): Promise<number> {
    const since = performance.now();
    const left = `select 1 from run r left join process p on p.id = r.lease_owner
                  where r.id = any($1::bigint[]) and r.state = 'running' and (p.id is null or p.pid = $2) limit 1`;
    await until(
      'the runs of a scheduler to be taken over',
      async () => (await this.cluster.db.query(left, [runIds, from.pid])).rowCount === 0,
      RESUMED_MS,
    );
    return Math.round(performance.now() - since);
  }

  /** Milliseconds from now until every scheduler has beaten and, while there is work, an attempt has moved. */
  async resumed(): Promise<number> {
    const { rows } = await this.cluster.db.query<{ now: string }>('select clock_timestamp()::text as now');
    const since = performance.now();
    const text = `
      select (select count(*)::int from process
              where kind = 'scheduler' and alive_until > $1::timestamptz + $2 * interval '1 millisecond') as beaten,
             exists (select from attempt where queued_at > $1::timestamptz or finished_at > $1::timestamptz) as moved,
             not exists (select from run where state in ('queued', 'running')) as over`;
    await until(
      'the schedulers to go on',
      async () => {
        const found = await this.cluster.db.once<{ beaten: number; moved: boolean; over: boolean }>(text, [
          rows[0]?.now,
          SCHEDULER_TTL_MS,
        ]);
        const [now] = found ?? [];
        return now !== undefined && now.beaten >= this.cluster.schedulers.length && (now.moved || now.over);
      },
      RESUMED_MS,
    );
    return Math.round(performance.now() - since);
  }

  /** Resolves once so many runs of the catch-up have ended. */
  async endedRuns(atLeast: number): Promise<void> {
    const count = `select count(*)::int as ended from run where pipeline = 'days' and finished_at is not null`;
    const ended = async () => (await this.cluster.db.query<{ ended: number }>(count)).rows[0]?.ended ?? 0;
    await until(`${atLeast} runs to end`, async () => (await ended()) >= atLeast, this.parts.timeoutMs);
  }

  /** Nothing is on its way any more: no run is open, every published path is shown, no worker holds anything. */
  atRest(): Promise<void> {
    const left = `select 1 from path_pointer where not projected union all select 1 from assignment
                  union all select 1 from run where finished_at is null union all select 1 from inbox limit 1`;
    return until('rest', async () => (await this.cluster.db.query(left)).rowCount === 0, RESUMED_MS);
  }

  /** What went wrong, with the last words of processes that are gone: often they are the reason. */
  blamed(error: unknown): Error {
    return new Error([String(error), ...this.missing()].join('\n'), { cause: error });
  }

  /** Processes that should live and do not. */
  missing(): string[] {
    const { api, schedulers } = this.cluster;
    return Object.entries({ api: [api], scheduler: schedulers, worker: this.workers }).flatMap(([role, processes]) =>
      processes
        .filter((process) => !process.isThere)
        .map((process) => `a ${role} (${process.pid}) ended by itself: ${process.text.trim().slice(-2000)}`),
    );
  }
}
