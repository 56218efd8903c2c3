import { type Benchmark, type Figure, PROMISED_FLOORS } from './benchmark.ts';
import { NOOP_MODULE, openBenchSystem, type Stamp } from './bench-system.ts';
import { commitFloorMs, spawnFloorMs } from './floors.ts';
import { median, quantile } from './quantile.ts';

const LENGTH = 40;
const REPEATS = 10;

export function chain(name: string, body: string): string {
  const tasks = Array.from({ length: LENGTH }, (_, i) => `  t${i}: { ${i > 0 ? `needs: [t${i - 1}], ` : ''}${body} }`);
  return `name: ${name}\ntasks:\n${tasks.join('\n')}\n`;
}

/** From the end of a task to the start of the one that needs it. */
function gaps(stamps: readonly Stamp[]): number[] {
  return stamps.slice(1).map((stamp, i) => stamp.startMs - (stamps[i] as Stamp).endMs);
}

async function gapsOf(
  pipeline: string,
  files: Record<string, string>,
  use: (databaseUrl: string, all: number[]) => Promise<Figure[]>,
) {
  const system = await openBenchSystem({ concurrency: 4, files });
  try {
    await system.run([pipeline]);
    await system.takeStamps();
    const all: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      await system.run([pipeline]);
      all.push(...gaps(await system.takeStamps()));
    }
    return await use(system.databaseUrl, all);
  } finally {
    await system.close();
  }
}

export const warmChain: Benchmark = {
  name: 'L1',
  title: `gap between dependent tasks, \`node:\` in a warm process, chain of ${LENGTH}`,
  measure: () =>
    gapsOf(
      'chain',
      { 'chain.yaml': chain('chain', 'node: noop.mjs#stamp'), 'noop.mjs': NOOP_MODULE },
      async (databaseUrl, all) => {
        const floor = await commitFloorMs(databaseUrl);
        const bare = {
          unit: 'ms',
          floor,
          floorIs: 'a bare durable commit',
          promisedFloor: PROMISED_FLOORS.commitMs,
        } as const;
        return [
          { what: 'p50', value: median(all), promise: 3, ...bare },
          { what: 'p99', value: quantile(all, 0.99), promise: 20, ...bare },
        ];
      },
    ),
};

export const shellChain: Benchmark = {
  name: 'L2',
  title: `the same with \`run:\`, a shell through the launcher`,
  measure: () =>
    gapsOf(
      'chain',
      {
        'chain.yaml': chain(
          'chain',
          `run: 'echo "$SLUICE_TASK_ID $\{EPOCHREALTIME/./} $\{EPOCHREALTIME/./}" >> STAMPS'`,
        ),
      },
      async (databaseUrl, all) => {
        const milliseconds = all.map((gap) => gap / 1000);
        const floor = (await commitFloorMs(databaseUrl)) + (await spawnFloorMs(['bash', '-c', 'true']));
        const promisedFloor = PROMISED_FLOORS.commitMs + PROMISED_FLOORS.bashMs;
        const bare = { unit: 'ms', floor, floorIs: 'a bare commit and `bash -c true`', promisedFloor } as const;
        return [
          { what: 'p50', value: median(milliseconds), promise: 6, ...bare },
          { what: 'p99', value: quantile(milliseconds, 0.99), promise: 30, ...bare },
        ];
      },
    ),
};

export const FIBO =
  'def fibo(n):\n    return n if n < 2 else fibo(n - 1) + fibo(n - 2)\n\ndef main(ctx=None):\n    fibo(10)\n\nif __name__ == "__main__":\n    main()\n';

export const pythonChain: Benchmark = {
  name: 'L3',
  title: `${LENGTH} × fibo(10) in Python, one after the other, whole run`,
  measure: async () => {
    const system = await openBenchSystem({
      concurrency: 4,
      files: {
        'warm.yaml': chain('warm', 'python: "fibo.py:main"'),
        'cold.yaml': chain('cold', 'run: python3 "$SLUICE_RELEASE_DIR"/fibo.py'),
        'fibo.py': FIBO,
      },
    });
    try {
      const wall = async (pipeline: string): Promise<number> => {
        await system.run([pipeline]);
        const took: number[] = [];
        for (let i = 0; i < 5; i++) took.push(await system.run([pipeline]));
        return median(took);
      };
      const warm = await wall('warm');
      const cold = await wall('cold');
      const commit = ((await commitFloorMs(system.databaseUrl)) * LENGTH) / 1000;
      const python = ((await spawnFloorMs(['python3', '-c', FIBO], 40)) * LENGTH) / 1000;
      return [
        {
          what: 'warm',
          value: warm,
          unit: 's',
          promise: 0.4,
          floor: commit,
          floorIs: `${LENGTH} bare commits`,
          promisedFloor: (PROMISED_FLOORS.commitMs * LENGTH) / 1000,
        },
        {
          what: 'cold process',
          value: cold,
          unit: 's',
          promise: 2.6,
          floor: python,
          floorIs: `${LENGTH} bare python3`,
          promisedFloor: (PROMISED_FLOORS.pythonMs * LENGTH) / 1000,
        },
      ];
    } finally {
      await system.close();
    }
  },
};
