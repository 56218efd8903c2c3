import { quantile, median } from '../quantile.ts';
import { type Effect, grouped, pipelineOf } from './effects.ts';
import type { MeasuredRound } from './session.ts';
import { tollOf } from './toll.ts';
import type { Pipeline, Workload, WorkloadName } from './workloads.ts';

export type Unit = 'ms' | 's' | '/s' | '%' | '×' | 'slots' | 'tasks' | 'bodies';

export interface FigureKind {
  readonly name: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
}

type Rounds = readonly MeasuredRound[];
type Measure = (workload: Workload, rounds: Rounds) => number;

const figure = (name: string, unit: Unit, better: 'more' | 'less', measure: Measure) => ({
  name,
  unit,
  better,
  measure,
});

const chainOfThree = [
  figure('one by one, p50', 'ms', 'less', (_, rounds) => median(walls(rounds, 'one by one'))),
  figure('p95', 'ms', 'less', (_, rounds) => quantile(walls(rounds, 'one by one'), 0.95)),
  figure('at once', '/s', 'more', (_, rounds) => {
    const [round] = named(rounds, 'at once') as [MeasuredRound];
    return new Set(round.effects.map(({ run }) => run)).size / seconds(round);
  }),
];
const wall = figure('wall', 's', 'less', (_, [round]) => seconds(round as MeasuredRound));
const diamondFigures = [
  figure('children started', '/s', 'more', (workload, [round]) => {
    const { first, children } = childrenOf(round as MeasuredRound);
    return children.length / ((Math.max(...children.map(({ startMs }) => startMs)) - first.endMs) / 1000);
  }),
  figure('first child after', 'ms', 'less', (_, [round]) => {
    const { first, children } = childrenOf(round as MeasuredRound);
    return Math.min(...children.map(({ startMs }) => startMs)) - first.endMs;
  }),
  wall,
];
const makespan = figure('makespan / bound', '×', 'less', (workload, rounds) => {
  const ratios = rounds.map(
    (round) => seconds(round) / boundSeconds(workload, pipelineOf(round.effects[0]?.run ?? '')),
  );
  return sum(ratios) / ratios.length;
});
const toll = (workload: Workload, [round]: Rounds) => {
  const { begun, effects, kills } = round as MeasuredRound;
  return tollOf(workload.pipelines[0]?.tasks ?? [], begun, effects, kills);
};
const killFigures = [
  figure('lost', 'tasks', 'less', (...told) => toll(...told).lost),
  makespan,
  figure('doubled', 'tasks', 'less', (...told) => toll(...told).doubled),
  figure('cut short', 'bodies', 'less', (...told) => toll(...told).cutShort),
  ...['worker', 'scheduler'].flatMap((whom, i) => [
    figure(`${whom} killed: a task begins after`, 's', 'less', (...told) => toll(...told).nextAfter[i] ?? NaN),
    figure(
      `${whom} killed: what it cut short again after`,
      's',
      'less',
      (...told) => toll(...told).againAfter[i] ?? NaN,
    ),
  ]),
];
const fanFigures = [
  figure('slots in use', '%', 'more', ({ parallelism }, [round]) => (100 * busy(round as MeasuredRound)) / parallelism),
  wall,
];

/** What is told of each workload, the figure that engines are ranked by first. */
const FIGURES: Record<WorkloadName, readonly (FigureKind & { measure: Measure })[]> = {
  W1N: chainOfThree,
  W1S: chainOfThree,
  W2: [
    figure('gap p50', 'ms', 'less', (workload, [round]) => median(gaps(workload.pipelines, round as MeasuredRound))),
    figure('gap p99', 'ms', 'less', (workload, [round]) =>
      quantile(gaps(workload.pipelines, round as MeasuredRound), 0.99),
    ),
    wall,
  ],
  W3: [
    figure('overhead', '%', 'less', (_, [round]) => {
      const { effects, askedMs, endedMs } = round as MeasuredRound;
      return 100 * (1 - sum(effects.map(({ startMs, endMs }) => endMs - startMs)) / (endedMs - askedMs));
    }),
    wall,
  ],
  'W4-1': fanFigures,
  'W4-2': fanFigures,
  'W4-10': fanFigures,
  W5: ['short', 'long', 'tree'].flatMap((label) => [
    figure(label, '/s', 'more', (_, rounds) => perSecond(named(rounds, label)[0] as MeasuredRound)),
    figure(`${label}, mean lag`, 'ms', 'less', (workload, rounds) => {
      const lags = named(rounds, label).flatMap((round) => gaps(workload.pipelines, round));
      return sum(lags) / lags.length;
    }),
  ]),
  W6: [figure('task runs', '/s', 'more', (_, [round]) => perSecond(round as MeasuredRound))],
  W7N: diamondFigures,
  W7S: diamondFigures,
  W8: [
    wall,
    figure('first task after', 'ms', 'less', (_, [round]) => {
      const { effects, askedMs } = round as MeasuredRound;
      return Math.min(...effects.map(({ startMs }) => startMs)) - askedMs;
    }),
  ],
  W9: [
    figure('small run, p50', 'ms', 'less', (_, rounds) => median(walls(rounds, 'small'))),
    figure('p99', 'ms', 'less', (_, rounds) => quantile(walls(rounds, 'small'), 0.99)),
  ],
  W10: [figure('at once', 'slots', 'more', (_, [round]) => busy(round as MeasuredRound)), wall],
  W12: [makespan],
  W7K: killFigures,
  W12K: killFigures,
};

export function figureKinds(name: WorkloadName): readonly FigureKind[] {
  return FIGURES[name];
}

/** By the names of the figures. */
export function figuresOf(workload: Workload, rounds: Rounds): Record<string, number> {
  return Object.fromEntries(
    FIGURES[workload.name as WorkloadName].map(({ name, measure }) => [name, measure(workload, rounds)]),
  );
}

/** The critical path, or the work divided by the slots, whichever is longer; for bodies that sleep. */
export function boundSeconds({ pipelines, parallelism }: Workload, name: string): number {
  const tasks = pipelines.find((pipeline) => pipeline.name === name)?.tasks ?? [];
  const ends = new Map<string, number>();
  for (const { id, needs, n } of tasks) ends.set(id, n + Math.max(0, ...needs.map((need) => ends.get(need) ?? 0)));
  return Math.max(sum(tasks.map(({ n }) => n)) / parallelism, ...ends.values());
}

/** From the end of the last task that each task needs to its own start, in every run. */
export function gaps(pipelines: readonly Pipeline[], { effects }: Pick<MeasuredRound, 'effects'>): number[] {
  const known = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
  return [...grouped(effects, ({ run }) => run)].flatMap(([run, own]) => {
    const byTask = new Map(own.map((effect) => [effect.task, effect]));
    return (known.get(pipelineOf(run))?.tasks ?? [])
      .filter(({ needs }) => needs.length > 0)
      .map(({ id, needs }) => {
        const ready = Math.max(...needs.map((need) => byTask.get(need)?.endMs ?? NaN));
        return (byTask.get(id)?.startMs ?? NaN) - ready;
      });
  });
}

function walls(rounds: Rounds, label: string): number[] {
  return named(rounds, label).map(({ askedMs, endedMs }) => endedMs - askedMs);
}

function named(rounds: Rounds, label: string): Rounds {
  return rounds.filter((round) => round.label === label);
}

function seconds({ askedMs, endedMs }: MeasuredRound): number {
  return (endedMs - askedMs) / 1000;
}

function perSecond(round: MeasuredRound): number {
  return round.effects.length / seconds(round);
}

/** Bodies at once, on average from the first start to the last end. */
function busy({ effects }: MeasuredRound): number {
  const first = Math.min(...effects.map(({ startMs }) => startMs));
  const last = Math.max(...effects.map(({ endMs }) => endMs));
  return sum(effects.map(({ startMs, endMs }) => endMs - startMs)) / (last - first);
}

function childrenOf({ effects }: MeasuredRound): { first: Effect; children: Effect[] } {
  const first = effects.find(({ task }) => task === 'first') as Effect;
  return { first, children: effects.filter(({ task }) => task.startsWith('each_')) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
