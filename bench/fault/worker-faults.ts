import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { until } from '../../apps/standalone/standalone-fixture.ts';
import { checkHistory, type Expected } from './check-history.ts';
import { checkStorage } from './check-storage.ts';
import { starts } from './example-project.ts';
import { loadHistory, type History } from './history.ts';
import { seededRandom } from './random.ts';
import { Cluster, type RedisClusterOptions, type ClusterProcess } from './worker-cluster.ts';

/** Faults of workers and of Redis, by their names in the list of promises. */
export const WORKER_FAULTS = {
  F1: 'kill -9 of a worker; another is started in its place',
  F3: 'a worker is paused beyond its lease, then goes on',
  F8: 'Redis is emptied, killed and started with nothing, or away for a while',
} as const;
export type WorkerFault = keyof typeof WORKER_FAULTS;

export interface WorkerFaultOptions extends RedisClusterOptions {
  readonly fault: WorkerFault;
  readonly times: number;
  /** How long a worker is paused, or Redis away. */
  readonly awayMs: number;
  readonly days: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly timeoutMs: number;
}

export interface WorkerFaultReport {
  readonly fault: WorkerFault;
  readonly times: number;
  readonly seconds: number;
  readonly runs: number;
  readonly attempts: Readonly<Record<string, number>>;
  /** From a fault to the end of the last attempt that was lost by it; of F1 and F3. */
  readonly longestDetectionMs: number | null;
  readonly violations: readonly string[];
}

const WORKERS = 3;
const FIRST = '2026-01-01';
const DAY_MS = 86_400_000;
/** Dead workers are found within 15 s. */
const DETECTION_MS = 15_000;

/** Two tasks a day; each notes its start and end where nothing can take the note back. */
const pipeline = (last: string): string => `
name: days
schedule: { cron: "@daily", start: ${FIRST}, end: ${last}, catchup: true }
max_active_runs: 8
paths:
  raw: { at: raw, partition: ds }
  sum: { at: sum, partition: ds }
tasks:
  load:
    run: |
      echo "start $DS load $SLUICE_FENCE" >> "$DATA_MARKS/effects"
      sleep 0.$((RANDOM % 9))
      echo "$DS" > "$PATH_RAW/day.txt"
      echo "end $DS load $SLUICE_FENCE" >> "$DATA_MARKS/effects"
    writes: [raw]
  sum:
    run: |
      echo "start $DS sum $SLUICE_FENCE" >> "$DATA_MARKS/effects"
      sleep 0.$((RANDOM % 9))
      cat "$PATH_RAW/day.txt" "$PATH_RAW/day.txt" > "$PATH_SUM/twice.txt"
      echo "end $DS sum $SLUICE_FENCE" >> "$DATA_MARKS/effects"
    reads: [raw]
    writes: [sum]
`;

/** Catches up under faults, then checks history, storage, effects and what was found how soon. */
export async function runWorkerFaults(options: WorkerFaultOptions): Promise<WorkerFaultReport> {
  const { fault, times, days, say } = options;
  const last = new Date(Date.parse(FIRST) + (days - 1) * DAY_MS).toISOString().slice(0, 10);
  const expected: Expected = {
    intervals: { days: starts({ from: FIRST, to: last, stepDays: 1 }) },
    paths: { days: ['raw', 'sum'] },
  };
  const cluster = await Cluster.start({ 'dags/days.yaml': pipeline(last) }, options);
  const started = performance.now();
  try {
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => cluster.worker()));
    const random = seededRandom(options.seed);
    const detections: number[] = [];
    for (let index = 0; index < times; index++) {
      // Spread over the catch-up; what is over is not hurt any more.
      await endedRuns(cluster, Math.floor((days * index) / (times + 1)), options.timeoutMs);
      await delay(Math.floor(random() * 400));
      const took = await FAULTS[fault](cluster, workers, random, options.awayMs, index);
      if (took !== null) detections.push(took);
      say(`  ${fault} ${index + 1} of ${times}${took === null ? '' : `: found after ${took} ms`}`);
    }
    await endedRuns(cluster, days, options.timeoutMs);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    await atRest(cluster);
    const history = await loadHistory(cluster.db);
    const storage = await checkStorage(join(cluster.project.home, 'storage', 'dev'), history.pointers);
    return {
      ...{ fault, times, seconds, runs: history.runs.length, attempts: countStates(history) },
      longestDetectionMs: detections.length === 0 ? null : Math.max(...detections),
      violations: [
        ...checkHistory(history, expected).map(({ rule, text }) => `${rule}: ${text}`),
        ...storage.problems.map((text) => `storage: ${text}`),
        ...checkEffects(history, cluster.lines('effects')),
        ...detections.filter((ms) => ms > DETECTION_MS).map((ms) => `detection: ${ms} ms`),
      ],
    };
  } finally {
    await cluster.close();
  }
}

type Act = (
  cluster: Cluster,
  workers: ClusterProcess[],
  random: () => number,
  awayMs: number,
  index: number,
) => Promise<number | null>;

/** Each resolves, when it can be told, to how long it took until the last attempt of the worker was known to be lost. */
const FAULTS: Readonly<Record<WorkerFault, Act>> = {
  F1: async (cluster, workers, random) => {
    const index = Math.floor(random() * workers.length);
    const held = await heldBy(cluster, workers[index]!);
    workers[index]!.signal('SIGKILL');
    const since = Date.now();
    workers[index] = await cluster.worker();
    await released(cluster, held);
    return held.length === 0 ? null : Date.now() - since;
  },
  F3: async (cluster, workers, random, awayMs) => {
    const worker = workers[Math.floor(random() * workers.length)]!;
    const held = await heldBy(cluster, worker);
    worker.signal('SIGSTOP');
    const since = Date.now();
    await released(cluster, held);
    const took = Date.now() - since;
    await delay(Math.max(0, awayMs - took));
    worker.signal('SIGCONT');
    return held.length === 0 ? null : took;
  },
  F8: async (cluster, _workers, _random, awayMs, index) => {
    // Each in turn.
    const kind = index % 3;
    if (kind === 0) await cluster.redis.flush();
    else {
      await cluster.redis.kill();
      if (kind === 1) await delay(awayMs);
      await cluster.redis.start();
    }
    return null;
  },
};

/** Attempts that the worker's process has. */
async function heldBy(cluster: Cluster, worker: ClusterProcess): Promise<string[]> {
  const { rows } = await cluster.db.query<{ id: string }>(
    `select s.attempt_id::text as id from assignment s join process p on p.id = s.worker
     where p.pid = $1 and p.kind = 'worker' and s.result is null`,
    [worker.pid],
  );
  return rows.map(({ id }) => id);
}

function released(cluster: Cluster, attemptIds: readonly string[]): Promise<void> {
  const live = `select 1 from attempt where id = any($1::bigint[]) and state in ('queued', 'running') limit 1`;
  return until(
    'the attempts of a worker to be given up',
    async () => (await cluster.db.query(live, [attemptIds])).rowCount === 0,
    60_000,
  );
}

async function endedRuns(cluster: Cluster, atLeast: number, timeoutMs: number): Promise<void> {
  const count = 'select count(*)::int as ended from run where finished_at is not null';
  const ended = async () => (await cluster.db.query<{ ended: number }>(count)).rows[0]?.ended ?? 0;
  await until(`${atLeast} runs to end`, async () => (await ended()) >= atLeast, timeoutMs);
}

/** Nothing is on its way any more: every published path is shown, and no worker holds anything. */
function atRest(cluster: Cluster): Promise<void> {
  const left = 'select 1 from path_pointer where not projected union all select 1 from assignment limit 1';
  return until('everything to be shown', async () => (await cluster.db.query(left)).rowCount === 0, 30_000);
}

/** Under the fence of the attempt that counts each task ended exactly once; no other fence than an attempt's was ever used. */
function checkEffects({ runs, attempts }: History, lines: readonly string[]): string[] {
  const dayOf = new Map(runs.map(({ id, intervalStart }) => [id, intervalStart?.slice(0, 10)]));
  const nameOf = (a: History['attempts'][number]) => `${dayOf.get(a.runId)} ${a.taskId} ${a.fence}`;
  const known = new Set(attempts.map(nameOf));
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [
    ...attempts
      .filter(({ state }) => state === 'success')
      .flatMap((a) => ['start', 'end'].map((what) => `${what} ${nameOf(a)}`))
      .filter((line) => counts.get(line) !== 1)
      .map((line) => `effects: ${counts.get(line) ?? 0} times "${line}"`),
    ...[...counts]
      .filter(([line, count]) => count > 1 || !known.has(line.slice(line.indexOf(' ') + 1)))
      .map(([line, count]) => `effects: ${count} times "${line}"`),
  ];
}

function countStates({ attempts }: History): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of attempts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
