import { join } from 'node:path';
import { checkEffects, catchUp } from './catch-up.ts';
import { checkHistory, type Expected } from './check-history.ts';
import { checkStorage } from './check-storage.ts';
import { FaultPostgres } from './fault-postgres.ts';
import type { Fault, Layout } from './faults.ts';
import { loadHistory, type History } from './history.ts';
import { LiveWatch } from './live-watch.ts';
import { Namespaces } from './namespaces.ts';
import { Network } from './network.ts';
import { buildPreviousProgram } from './previous-program.ts';
import { seededRandom } from './random.ts';
import { Scene, type Figures } from './scene.ts';
import { Cluster, type ClusterProcess } from './worker-cluster.ts';

export interface RoundOptions {
  readonly name: string;
  readonly fault: Fault;
  /** Counts from 0 over all rounds of a series; its plan follows from the seed and this. */
  readonly round: number;
  readonly seed: number;
  /** How often it happened in the rounds before. */
  readonly before: number;
  readonly times: number;
  readonly awayMs: number;
  readonly redisProgram: string;
  readonly say: (line: string) => void;
  readonly timeoutMs: number;
}

export interface RoundReport {
  readonly round: number;
  readonly times: number;
  readonly layout: Omit<Layout, 'files'>;
  readonly seconds: number;
  readonly runs: number;
  readonly taskRuns: number;
  readonly attempts: Readonly<Record<string, number>>;
  /** One entry for each time. */
  readonly figures: readonly Figures[];
  readonly violations: readonly string[];
}

/** Catches up on a new cluster while a fault happens to it again and again, then checks what is left. Stops what it started. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const { fault, round, times } = options;
  const layout: Layout = fault.layout?.(round) ?? {};
  const seed = options.seed + round;
  const days = Math.max(10, fault.days * times);
  const { file, expected } = catchUp(days);
  const postgres = await FaultPostgres.start();
  const namespaces = layout.network === 'namespaces' ? new Namespaces() : null;
  const previous = layout.isPrevious === true ? await buildPreviousProgram() : null;
  let program = previous?.folder;
  if (previous !== null)
    options.say(`  from commit ${previous.commit.slice(0, 9)}, which does not know ${previous.unknown.join(', ')}`);
  const network = layout.network === undefined ? null : new Network(seed, namespaces);
  let cluster: Cluster | null = null;
  let watch: LiveWatch | null = null;
  try {
    const { schedulers = 1, concurrency, files = {} } = layout;
    cluster = await Cluster.start(
      { 'dags/days.yaml': file, ...files },
      {
        ...{ databaseUrl: postgres.url, redisProgram: options.redisProgram, schedulers },
        ...(concurrency === undefined ? {} : { concurrency }),
        place: async (role, number, usual) => ({
          ...((await network?.place(role, number, usual)) ?? usual),
          ...(program === undefined ? {} : { program }),
        }),
      },
    );
    const started = performance.now();
    watch = new LiveWatch(cluster.db);
    const start = (): Promise<ClusterProcess> => cluster!.worker();
    const workers = await Promise.all(Array.from({ length: layout.workers ?? 3 }, start));
    const { awayMs, timeoutMs, say } = options;
    const scene = new Scene({
      ...{ cluster, postgres, network, workers, days, awayMs, timeoutMs, say, scale: 1 },
      random: seededRandom(seed),
      onUpgrade: () => (program = undefined),
    });
    const figures = await strikeAll(options, scene, days).catch((error: unknown) => {
      throw scene.blamed(error);
    });
    await scene.endedRuns(days);
    await scene.atRest();
    await watch.close();
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const history = await loadHistory(cluster.db);
    return {
      ...{ round, times, layout: { schedulers, ...withoutFiles(layout) }, seconds, runs: history.runs.length },
      ...{ taskRuns: history.taskRuns.length, attempts: countStates(history), figures },
      violations: [
        ...(await checkScene(scene, history, expected)),
        ...watch.problems,
        ...(fault.keepsAttempts === true ? interrupted(history, cluster.lines('effects')) : []),
        ...beyond(fault, figures),
        ...((await fault.check?.(scene, history)) ?? []),
      ],
    };
  } finally {
    await watch?.close();
    await cluster?.close();
    await network?.close();
    await previous?.remove();
    await postgres.close();
  }
}

/** What must hold at rest, whatever happened. */
export async function checkScene(scene: Scene, history: History, expected: Expected): Promise<string[]> {
  const { project } = scene.cluster;
  const pointers = history.pointers.filter(({ pipeline }) => Object.hasOwn(expected.paths, pipeline));
  const storage = await checkStorage(join(project.home, 'storage', 'dev'), pointers);
  return [
    ...checkHistory(history, expected).map(({ rule, text }) => `${rule}: ${text}`),
    ...storage.problems.map((text) => `storage: ${text}`),
    ...checkEffects(history, scene.cluster.lines('effects')),
    ...scene.missing(),
    ...scene.problems,
  ];
}

async function strikeAll(options: RoundOptions, scene: Scene, days: number): Promise<Figures[]> {
  const { fault, name, times, before, say } = options;
  const all: Figures[] = [];
  for (let index = 0; index < times; index++) {
    // Spread over the catch-up; what is over is not hurt any more.
    await scene.endedRuns(Math.floor((days * index) / (times + 1)));
    await scene.wait(scene.between(0, 400));
    const figures = await fault.strike(scene, before + index);
    all.push(figures);
    const shown = Object.entries(figures).flatMap(([figure, value]) => (value === null ? [] : [`${figure} ${value}`]));
    say(`  ${name} ${before + index + 1}${shown.length === 0 ? '' : `: ${shown.join(', ')}`}`);
  }
  return all;
}

function beyond({ limits = {} }: Fault, figures: readonly Figures[]): string[] {
  return Object.entries(limits).flatMap(([name, most]) =>
    figures.flatMap(({ [name]: value }) =>
      typeof value === 'number' && value > most ? [`${name}: ${value}, at most ${most}`] : [],
    ),
  );
}

/** Attempts that had begun and were given up. One whose worker was never told of it costs nothing but its number. */
function interrupted({ attempts }: History, lines: readonly string[]): string[] {
  const begun = new Set(lines);
  return attempts
    .filter((a) => a.state === 'lost' && begun.has(`start ${a.runId} ${a.taskId} ${a.mapIndex} ${a.fence}`))
    .map(
      (a) => `running tasks are left alone: attempt ${a.number} of run ${a.runId} ${a.taskId}[${a.mapIndex}] is lost`,
    );
}

function withoutFiles({ files: _, ...layout }: Layout): Omit<Layout, 'files'> {
  return layout;
}

function countStates({ attempts }: History): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of attempts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
