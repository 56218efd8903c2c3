import { binaryTree, chain, diamond, fanOut, groups, layers, listed } from './graphs.ts';
import recipes from './wfcommons.json' with { type: 'json' };

/**
 * What a task does besides leaving its line: nothing, a shell's `true`, fibo(n) in the engine's own language, sleeping n seconds,
 * the same after a line that says that it begins.
 */
export type BodyKind = 'noop' | 'shell' | 'fibo' | 'sleep' | 'watched';

export interface Task {
  readonly id: string;
  readonly needs: readonly string[];
  readonly kind: BodyKind;
  readonly n: number;
}

/**
 * How an engine with fan-out or globs of its own may write it; `tasks` says the same in full. Ids are `NAME_INDEX` in what
 * fans out, and in layers, where every task needs all of the layer before.
 */
export type Shape =
  | { readonly kind: 'graph' }
  | { readonly kind: 'diamond'; readonly width: number }
  | { readonly kind: 'groups'; readonly length: number; readonly width: number }
  | { readonly kind: 'layers' };

export interface Pipeline {
  readonly name: string;
  readonly shape: Shape;
  readonly tasks: readonly Task[];
}

/** Runs that are asked for at once, by the names of their pipelines; the round is over when all have ended. */
export interface Round {
  readonly label: string;
  readonly runs: readonly string[];
  /** What befalls the engine meanwhile, in this order. */
  readonly kills?: readonly Kill[];
}

/** SIGKILL for the process in which a body runs just then, or for the engine's scheduler, when this part of the tasks have ended. */
export interface Kill {
  readonly whom: 'worker' | 'scheduler';
  readonly after: number;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Tasks at once, for every engine. */
  readonly parallelism: number;
  /** Part of the full size, the same thing otherwise. */
  readonly scale: number;
  readonly pipelines: readonly Pipeline[];
  /** Runs that are asked for before, and are not over when all that is measured is; their first task is watched. */
  readonly backlog?: readonly string[];
  readonly warmUp: readonly Round[];
  readonly rounds: readonly Round[];
  /** Rounds begin so far apart, or as soon as the one before has ended; otherwise at once. */
  readonly everyMs?: number;
}

interface Plan {
  readonly title: string;
  readonly parallelism: number;
  /** Where not those of all others. */
  readonly scales?: readonly number[];
  build(scale: number): Pick<Workload, 'pipelines' | 'backlog' | 'warmUp' | 'rounds' | 'everyMs'>;
}

const NOOP = { kind: 'noop', n: 0 } as const;
const SHELL = { kind: 'shell', n: 0 } as const;
/** Seconds. */
const LONGER_THAN_ALL = 7200;
const WATCHED = { kind: 'watched', n: 0.05 } as const;
const SCALES = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/** WfCommons was asked for graphs of about 500 and 60 tasks. */
const RECIPE_SCALES = [1, 0.12];
const KILLS: readonly Kill[] = [
  { whom: 'worker', after: 0.3 },
  { whom: 'scheduler', after: 0.6 },
];

const PLANS = {
  W1N: { title: 'chain of 3, no-op: runs one by one, then at once', parallelism: 4, build: harness('w1n', NOOP) },
  W1S: { title: 'chain of 3, shell `true`: the same', parallelism: 4, build: harness('w1s', SHELL) },
  W2: {
    title: 'chain of 40 × fibo(10)',
    parallelism: 4,
    build: (scale) => alone({ ...graph('w2', chain(atLeast(10, 40 * scale), { kind: 'fibo', n: 10 })) }),
  },
  W3: {
    title: 'chain of 10 × fibo(33)',
    parallelism: 4,
    build: (scale) => alone(graph('w3', chain(atLeast(3, 10 * scale), { kind: 'fibo', n: 33 }))),
  },
  'W4-1': fan(1),
  'W4-2': fan(2),
  'W4-10': fan(10),
  W5: {
    title: 'shell `true`: 100 pipelines × 10 in a row, 10 × 100 in a row, 100 × binary tree of 10',
    parallelism: 4,
    build: (scale) => {
      const short = many('w5-short', 100 * scale, chain(10, SHELL));
      const long = many('w5-long', 10 * scale, chain(scale < 0.1 ? 20 : 100, SHELL));
      const trees = many('w5-tree', 100 * scale, binaryTree(10, SHELL));
      return {
        pipelines: [...short, ...long, ...trees],
        warmUp: [{ label: 'warm-up', runs: [nameOf(short)] }],
        rounds: [
          { label: 'short', runs: short.map(({ name }) => name) },
          { label: 'long', runs: long.map(({ name }) => name) },
          { label: 'tree', runs: trees.map(({ name }) => name) },
        ],
      };
    },
  },
  W6: {
    title: '100 pipelines × 10 runs × 10 in a row, shell `true`',
    parallelism: 4,
    build: (scale) => {
      const pipelines = many('w6', 100 * scale, chain(10, SHELL));
      const names = pipelines.map(({ name }) => name);
      return {
        pipelines,
        warmUp: [{ label: 'warm-up', runs: [nameOf(pipelines)] }],
        rounds: [{ label: 'all', runs: Array.from({ length: 10 }, () => names).flat() }],
      };
    },
  },
  W7N: { title: '1 → 5,000 → 1, no-op', parallelism: 4, build: wide('w7n', NOOP) },
  W7S: { title: '1 → 5,000 → 1, shell `true`', parallelism: 4, build: wide('w7s', SHELL) },
  W8: {
    title: '10 layers × 100 tasks, each needs all of the layer before (90,000 edges), no-op',
    parallelism: 4,
    build: (scale) =>
      alone({ name: 'w8', shape: { kind: 'layers' }, tasks: layers(10, atLeast(5, 100 * scale), NOOP) }),
  },
  W9: {
    title: 'chain of 5, no-op, a run each second, while 5,000 tasks wait for one that sleeps in one of the slots',
    parallelism: 4,
    build: (scale) => {
      const width = 5000 * scale;
      const tasks = diamond(width, { kind: 'watched', n: LONGER_THAN_ALL });
      const small = { label: 'small', runs: ['w9-small'] };
      return {
        pipelines: [
          { name: 'w9-backlog', shape: { kind: 'diamond', width }, tasks },
          graph('w9-small', chain(5, NOOP)),
        ],
        backlog: ['w9-backlog'],
        warmUp: [small],
        rounds: Array.from({ length: atLeast(5, 60 * scale) }, () => small),
        everyMs: 1000,
      };
    },
  },
  W10: {
    title: 'group of 5 tasks × 100, each task sleeps 0.6 s',
    parallelism: 16,
    build: (scale) => {
      const shape = { kind: 'groups', length: 5, width: atLeast(16, 100 * scale) } as const;
      return alone({ name: 'w10', shape, tasks: groups(shape.length, shape.width, { kind: 'sleep', n: 0.6 }) });
    },
  },
  W12: {
    title: 'Montage, Epigenomics, 1000Genome of WfCommons, 500 tasks each, each task sleeps 50 ms',
    parallelism: 16,
    scales: RECIPE_SCALES,
    build: (scale) => {
      const body = { kind: 'sleep', n: 0.05 } as const;
      const pipelines = [
        recipe('w12', 'montage', scale, body),
        recipe('w12', 'epigenomics', scale, body),
        recipe('w12', '1000genome', scale, body),
      ];
      return {
        pipelines,
        warmUp: [{ label: 'warm-up', runs: [nameOf(pipelines)] }],
        rounds: pipelines.map(({ name }) => ({ label: name.slice(4), runs: [name] })),
      };
    },
  },
  W7K: {
    title: `1 → 500 → 1, each task sleeps 50 ms; ${told(KILLS)}`,
    parallelism: 16,
    build: (scale) => {
      const width = atLeast(16, 500 * scale);
      return killed({ name: 'w7k', shape: { kind: 'diamond', width }, tasks: diamond(width, WATCHED) });
    },
  },
  W12K: {
    title: `Epigenomics of WfCommons, 500 tasks, each task sleeps 50 ms; ${told(KILLS)}`,
    parallelism: 16,
    scales: RECIPE_SCALES,
    build: (scale) => killed(recipe('w12k', 'epigenomics', scale, WATCHED)),
  },
} satisfies Record<string, Plan>;

export type WorkloadName = keyof typeof PLANS;
export const WORKLOADS = Object.keys(PLANS) as WorkloadName[];

/** In the largest size that asks for at most so many task runs a repeat, or the smallest there is. */
export function workload(name: WorkloadName, mostTasks: number): Workload {
  const { title, parallelism, build, scales }: Plan = PLANS[name];
  const sized = (scales ?? SCALES).map((scale) => ({ name, title, parallelism, scale, ...build(scale) }));
  return sized.find((one) => taskRuns(one) <= mostTasks) ?? (sized.at(-1) as Workload);
}

export function taskRuns({ pipelines, rounds }: Pick<Workload, 'pipelines' | 'rounds'>): number {
  const sizes = new Map(pipelines.map(({ name, tasks }) => [name, tasks.length]));
  return rounds.flatMap(({ runs }) => runs).reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
}

function harness(name: string, body: Pick<Task, 'kind' | 'n'>): Plan['build'] {
  return (scale) => {
    const times = (label: string, count: number): Round[] =>
      Array.from({ length: count }, () => ({ label, runs: [name] }));
    return {
      pipelines: [graph(name, chain(3, body))],
      warmUp: times('warm-up', atLeast(2, 10 * scale)),
      rounds: [
        ...times('one by one', atLeast(5, 100 * scale)),
        { label: 'at once', runs: Array.from({ length: atLeast(8, 200 * scale) }, () => name) },
      ],
    };
  };
}

function wide(name: string, body: Pick<Task, 'kind' | 'n'>): Plan['build'] {
  return (scale) => {
    const width = 5000 * scale;
    return alone({ name, shape: { kind: 'diamond', width }, tasks: diamond(width, body) });
  };
}

function fan(parallelism: number): Plan {
  return {
    title: `fan-out of 400 × fibo(10), ${parallelism} at once`,
    parallelism,
    build: (scale) => alone(graph(`w4-${parallelism}`, fanOut(400 * scale, { kind: 'fibo', n: 10 }))),
  };
}

/** One run as a repeat, one before it to warm up. */
function alone(pipeline: Pipeline): Pick<Workload, 'pipelines' | 'warmUp' | 'rounds'> {
  const runs = [pipeline.name];
  return { pipelines: [pipeline], warmUp: [{ label: 'warm-up', runs }], rounds: [{ label: 'all', runs }] };
}

function killed(pipeline: Pipeline): Pick<Workload, 'pipelines' | 'warmUp' | 'rounds'> {
  const { rounds, ...rest } = alone(pipeline);
  return { ...rest, rounds: rounds.map((round) => ({ ...round, kills: KILLS })) };
}

function told(kills: readonly Kill[]): string {
  return kills.map(({ whom, after }) => `SIGKILL for a ${whom} at ${100 * after} %`).join(', ');
}

function recipe(
  prefix: string,
  name: 'montage' | 'epigenomics' | '1000genome',
  scale: number,
  body: Pick<Task, 'kind' | 'n'>,
): Pipeline {
  return graph(`${prefix}-${name}`, listed(recipes[`${name}-${scale === 1 ? 500 : 60}`], body));
}

function graph(name: string, tasks: readonly Task[]): Pipeline {
  return { name, shape: { kind: 'graph' }, tasks };
}

function many(prefix: string, count: number, tasks: readonly Task[]): Pipeline[] {
  return Array.from({ length: atLeast(1, count) }, (_, i) => graph(`${prefix}-${i}`, tasks));
}

function nameOf([first]: readonly Pipeline[]): string {
  return (first as Pipeline).name;
}

function atLeast(least: number, count: number): number {
  return Math.max(least, Math.round(count));
}
