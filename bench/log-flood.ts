import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '#platform';
import { NOOP_MODULE, openBenchSystem, serveSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';
import { quantile } from './quantile.ts';

const LINE_BYTES = 100;
const PER_SECOND = 200_000;
/** A line of a log is a record of JSON: its number, time and stream come to the text. */
const LOG_BYTES = '4GiB';

/**
 * Before as long as beside: the heap of a young process grows for most of a minute, by what small runs leave, until V8
 * collects it for the first time.
 */
const SIZES = { whole: { bytes: 1024 ** 3, beforeMs: 60_000 }, small: { bytes: 20 * 1024 ** 2, beforeMs: 2_000 } };

/** Writes so many lines, each with its number and the time, no faster than it is told to. */
const FLOOD = `import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
const [lines, perSecond] = process.argv.slice(2).map(Number);
const pad = 'x'.repeat(${LINE_BYTES} - 24);
const began = performance.now();
for (let n = 0; n < lines;) {
  const due = Math.min(lines, n + 5000, Math.floor((performance.now() - began) * perSecond / 1000));
  let text = '';
  while (n < due) text += String(++n).padStart(9, '0') + ' ' + Date.now() + ' ' + pad + '\\n';
  for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(1, rest));
  if (n < lines) await setTimeout(5);
}
`;

export const logFlood: Benchmark = {
  name: 'L18',
  title: `a log of 1 GiB from one task, lines of ${LINE_BYTES} bytes at up to ${PER_SECOND.toLocaleString('en')} a second, beside small runs one after another, each line in its place afterwards; then a quarter of it while somebody follows it over the API and gets each line`,
  hasSmallForm: true,
  measure: async ({ small }) => {
    const { bytes, beforeMs } = SIZES[small ? 'small' : 'whole'];
    const lines = Math.floor(bytes / LINE_BYTES);
    const flood = (count: number, rate: number) => `run: ${process.execPath} flood.mjs ${count} ${rate}`;
    const system = await openBenchSystem({
      ...{ concurrency: 4, logBytes: LOG_BYTES },
      files: {
        'noop.mjs': NOOP_MODULE,
        'flood.mjs': FLOOD,
        'one.yaml': 'name: one\ntasks: { a: { node: noop.mjs#noop } }\n',
        'flood.yaml': `name: flood\ntasks: { a: { ${flood(lines, PER_SECOND)} } }\n`,
        'quarter.yaml': `name: quarter\ntasks: { a: { ${flood(Math.floor(lines / 4), PER_SECOND)} } }\n`,
        'trickle.yaml': `name: trickle\ntasks: { a: { ${flood(100, 20)} } }\n`,
      },
    });
    const { commands, db } = system.installation;
    const { url, token, close } = await serveSystem(system);
    try {
      const start = (pipeline: string): Promise<string> =>
        commands.trigger({ pipeline, environment: 'dev', params: {}, actor: 'the benchmark' });
      const bare = await secondsIntoFile(system, lines);
      await system.run(['one']);
      await smallRuns(system, pastMs(beforeMs));
      const quietTail = await tail(url, token, await start('trickle'));
      const before = await smallRuns(system, pastMs(beforeMs));
      const flooding = await start('flood');
      const beside = await smallRuns(system, () => hasEnded(db, flooding));
      const seconds = await secondsOf(db, flooding);
      await expectAllLines(system, flooding, lines);
      const followed = await tail(url, token, await start('quarter'));
      if (followed.lines !== Math.floor(lines / 4)) throw new Error(`who followed the log got ${followed.lines} lines`);
      const common = { promisedFloor: null } as const;
      return [
        {
          ...{
            what: 'until the task has ended',
            unit: 's',
            value: seconds,
            promise: Number((1.1 * bare).toPrecision(3)),
          },
          ...{ floor: bare, floorIs: 'the same program into a file', ...common },
        },
        {
          ...{ what: 'memory of Sluice, without Postgres', unit: 'MiB', value: beside.mostMiB },
          ...{ promise: Number((before.mostMiB + 50).toPrecision(3)), floor: before.mostMiB },
          ...{ floorIs: 'the same before', ...common },
        },
        {
          ...{ what: 'small runs, p99', unit: 'ms', value: quantile(beside.tookMs, 0.99) },
          ...{ promise: Number((2 * quantile(before.tookMs, 0.99)).toPrecision(3)) },
          ...{ floor: quantile(before.tookMs, 0.99), floorIs: 'the same before', ...common },
        },
        {
          ...{ what: 'from a line to who follows the log, p50', unit: 'ms', value: followed.p50, promise: 200 },
          ...{ floor: quietTail.p50, floorIs: 'a task that writes 20 lines a second', ...common },
        },
      ];
    } finally {
      await close();
      await system.close();
    }
  },
};

/** Runs one task again and again: how long each took, and the most memory that was held meanwhile. */
async function smallRuns(
  system: BenchSystem,
  isOver: () => boolean | Promise<boolean>,
): Promise<{ tookMs: number[]; mostMiB: number }> {
  const tookMs: number[] = [];
  const launcher = launcherPid();
  let mostMiB = 0;
  const sampling = setInterval(() => (mostMiB = Math.max(mostMiB, sluiceMiB(launcher))), 50);
  try {
    while (!(await isOver())) tookMs.push((await system.run(['one'])) * 1000);
  } finally {
    clearInterval(sampling);
  }
  return { tookMs, mostMiB };
}

function pastMs(ms: number): () => boolean {
  const until = performance.now() + ms;
  return () => performance.now() >= until;
}

/** Resident memory of this process and of the launcher, which reads the tasks' output. */
function sluiceMiB(launcher: string): number {
  const pages = [String(process.pid), launcher].map((pid) => Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0));
  return (pages.reduce((sum, one) => sum + one) * 4096) / 1024 ** 2;
}

function launcherPid(): string {
  for (const pid of read(`/proc/${process.pid}/task/${process.pid}/children`).split(' '))
    if (read(`/proc/${pid}/cmdline`).includes('launcher.mjs')) return pid;
  throw new Error('this process has no launcher');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

async function secondsIntoFile({ folder }: BenchSystem, lines: number): Promise<number> {
  const into = openSync(path.join(folder, 'bare.log'), 'w');
  const began = performance.now();
  const program = path.join(folder, 'dags', 'flood.mjs');
  const child = spawn(process.execPath, [program, String(lines), String(PER_SECOND)], {
    stdio: ['ignore', into, 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  closeSync(into);
  if (code !== 0) throw new Error(`the bare program ended with ${code}`);
  return (performance.now() - began) / 1000;
}

interface Tail {
  readonly lines: number;
  /** Milliseconds. */
  readonly p50: number;
}

/** A process of its own, as who follows a log is. */
async function tail(url: string, token: string, runId: string): Promise<Tail> {
  const client = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(packageRoot(), 'bench', 'tail-log.ts'), url, runId, 'a'],
    { env: { ...process.env, TOKEN: token }, stdio: ['ignore', 'pipe', 'inherit'], cwd: packageRoot() },
  );
  let answer = '';
  client.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const [code] = (await once(client, 'close')) as [number | null];
  if (code !== 0) throw new Error(`who follows the log ended with ${code}`);
  return JSON.parse(answer) as Tail;
}

async function hasEnded(db: BenchSystem['installation']['db'], runId: string): Promise<boolean> {
  const [run] = await db.query<{ state: string }[]>('select state from run where id = $1', [runId]);
  if (run?.state === 'failed') throw new Error('the flood failed');
  return run?.state === 'success';
}

async function secondsOf(db: BenchSystem['installation']['db'], runId: string): Promise<number> {
  const [row] = await db.query<{ seconds: number }[]>(
    'select extract(epoch from finished_at - started_at)::float8 as seconds from attempt where run_id = $1',
    [runId],
  );
  return row?.seconds ?? NaN;
}

/** Throws unless the log holds every line, in order. */
async function expectAllLines({ installation }: BenchSystem, runId: string, lines: number): Promise<void> {
  const logs = installation.logsFor('dev');
  const key = { runId, taskId: 'a', mapIndex: 0, number: 1 };
  let from = 1;
  for (;;) {
    const page = await logs.read(key, { fromLine: from, limit: 100_000 });
    for (const { n, text } of page.lines)
      if (Number(text.slice(0, 9)) !== n)
        throw new Error(`line ${n} of the log is ${JSON.stringify(text.slice(0, 40))}`);
    from = page.nextLine;
    if (page.complete) break;
    if (page.lines.length === 0) throw new Error(`the log was not closed after line ${from - 1}`);
  }
  if (from - 1 !== lines) throw new Error(`the log has ${from - 1} lines of ${lines}`);
}
