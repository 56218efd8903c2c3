import { type Benchmark, type Figure, PROMISED_FLOORS } from './benchmark.ts';
import { NOOP_MODULE, openBenchSystem } from './bench-system.ts';
import { queueFloorPerSecond, spawnFloorPerSecond } from './floors.ts';
import { median } from './quantile.ts';

function wide(name: string, width: number, body: string): string {
  const items = Array.from({ length: width }, (_, i) => i).join(', ');
  return `name: ${name}\nmax_active_tasks: 100000\ntasks:\n  each:\n    matrix: { n: [${items}] }\n    max_fanout: ${width}\n    ${body}\n`;
}

export const wideFanOut: Benchmark = {
  name: 'L5',
  title: 'no-op task runs a second, fan-out of 10,000, fully recorded, warm',
  measure: async () => {
    const width = 10_000;
    const published = 2_000;
    const writing = `${wide('writing', published, `node: noop.mjs#part\n    writes: [parts]`)}paths: { parts: { at: parts } }\n`;
    const system = await openBenchSystem({
      concurrency: 8,
      files: {
        'wide.yaml': wide('wide', width, 'node: noop.mjs#noop'),
        'writing.yaml': writing,
        'noop.mjs': `${NOOP_MODULE}export const part = (ctx) => appendFileSync(ctx.out.parts + '/part', 'x');\n`,
      },
    });
    try {
      await system.run(['wide']);
      await system.run(['writing']);
      const [rates, withOutputs]: [number[], number[]] = [[], []];
      for (let i = 0; i < 3; i++) rates.push(width / (await system.run(['wide'])));
      for (let i = 0; i < 3; i++) withOutputs.push(published / (await system.run(['writing'])));
      return [
        {
          what: 'task runs',
          value: median(rates),
          unit: '/s',
          promise: 5000,
          floor: await queueFloorPerSecond(system.databaseUrl),
          floorIs: 'a bare SKIP LOCKED queue, batches of 100',
          promisedFloor: PROMISED_FLOORS.queuePerSecond,
        },
        {
          ...{ what: `task runs that each publish a file, fan-out of ${published.toLocaleString('en')}`, unit: '/s' },
          ...{ value: median(withOutputs), promise: 0, floor: median(rates), floorIs: 'the same without outputs' },
          promisedFloor: null,
        },
      ];
    } finally {
      await system.close();
    }
  },
};

export const shellThroughput: Benchmark = {
  name: 'L6',
  title: 'shell `true` task runs a second, two at once',
  measure: async () => {
    const width = 2000;
    const system = await openBenchSystem({
      concurrency: 2,
      files: { 'wide.yaml': wide('wide', width, 'run: "true"') },
    });
    try {
      await system.run(['wide']);
      // The speed of starting processes wanders by a tenth within a minute: the floor is measured beside each run.
      const rates: number[] = [];
      const floors: number[] = [];
      for (let i = 0; i < 5; i++) {
        rates.push(width / (await system.run(['wide'])));
        floors.push(await spawnFloorPerSecond(['bash', '-c', 'true'], 2));
      }
      return [
        {
          what: 'task runs',
          value: median(rates),
          unit: '/s',
          promise: 400,
          floor: median(floors),
          floorIs: 'a bare loop of `bash -c true`, two at once',
          promisedFloor: PROMISED_FLOORS.bashPerSecond,
        },
      ];
    } finally {
      await system.close();
    }
  },
};

export const manyRuns: Benchmark = {
  name: 'L7',
  title: '10,000 task runs as 100 pipelines × 10 runs × 10 tasks',
  measure: async () => {
    const node = await secondsOf('node: noop.mjs#noop', 4);
    const shell = await secondsOf('run: "true"', 2);
    const figure = (
      what: string,
      value: number,
      promise: number,
      floorIs: string,
      perSecond: number,
      promised: number,
    ): Figure => ({
      what,
      value,
      unit: 's',
      promise,
      floor: 10_000 / perSecond,
      floorIs,
      promisedFloor: 10_000 / promised,
    });
    const { queuePerSecond, bashPerSecond } = PROMISED_FLOORS;
    return [
      figure(
        'in a warm process',
        node.seconds,
        12,
        'a bare SKIP LOCKED queue, batches of 100',
        node.queue,
        queuePerSecond,
      ),
      figure('shell', shell.seconds, 40, 'a bare loop of `bash -c true`, two at once', shell.spawns, bashPerSecond),
    ];
  },
};

async function secondsOf(body: string, concurrency: number) {
  const names = Array.from({ length: 100 }, (_, i) => `p${i}`);
  const tasks = Array.from({ length: 10 }, (_, i) => `  t${i}: { ${i > 0 ? `needs: [t${i - 1}], ` : ''}${body} }`);
  const files = Object.fromEntries(
    names.map((name) => [`${name}.yaml`, `name: ${name}\ntasks:\n${tasks.join('\n')}\n`]),
  );
  const system = await openBenchSystem({ concurrency, files: { ...files, 'noop.mjs': NOOP_MODULE } });
  try {
    await system.run(names);
    const seconds = await system.run(Array.from({ length: 10 }, () => names).flat());
    return {
      seconds,
      queue: await queueFloorPerSecond(system.databaseUrl),
      spawns: await spawnFloorPerSecond(['bash', '-c', 'true'], 2),
    };
  } finally {
    await system.close();
  }
}
