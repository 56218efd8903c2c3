import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import { packageRoot } from '#platform';
import { apiReads } from './api-reads.ts';
import { type Benchmark, type Figure, keepsPromise, promiseHere, timesFloor } from './benchmark.ts';
import { bigGraph, wideMap } from './big-graphs.ts';
import { blockedBacklog } from './blocked.ts';
import { pythonChain, shellChain, warmChain } from './chains.ts';
import { cronStorm } from './cron-storm.ts';
import { longHistory } from './history.ts';
import { idle } from './idle.ts';
import { logFlood } from './log-flood.ts';
import { manyFiles } from './many-files.ts';
import { queueThroughput } from './queue.ts';
import { pinnedTransaction } from './pinned-transaction.ts';
import { readArguments } from './read-arguments.ts';
import { releaseCreate } from './release-create.ts';
import { rollback } from './rollback.ts';
import { retention } from './retention.ts';
import { smallRun } from './small-run.ts';
import { resultsTable, type StoredResult, writeTable } from './results-table.ts';
import { severalSchedulers } from './schedulers.ts';
import { soak } from './soak.ts';
import { manyRuns, shellThroughput, wideFanOut } from './throughput.ts';
import { storms } from './storms.ts';
import { webView } from './web-view.ts';
import { waits } from './waiting.ts';

/**
 * `npm run bench -- L1 L5`: measures, stores bench/results/NAME.json and brings the table of docs/performance.md up to date.
 * `--small` only shows that those benchmarks work, and stores nothing; `--table` only writes the table.
 */
const BENCHMARKS: readonly Benchmark[] = [
  warmChain,
  shellChain,
  pythonChain,
  smallRun,
  wideFanOut,
  shellThroughput,
  manyRuns,
  blockedBacklog,
  wideMap,
  bigGraph,
  cronStorm,
  manyFiles,
  longHistory,
  apiReads,
  webView,
  idle,
  soak,
  logFlood,
  pinnedTransaction,
  severalSchedulers,
  releaseCreate,
  rollback,
  retention,
  waits,
  queueThroughput,
  storms,
];

const usage = `npm run bench -- [${BENCHMARKS[0]?.name} …] [--small] [--minutes N] [--table]`;
const { values, positionals: asked } = readArguments(usage, {
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    table: { type: 'boolean', default: false },
  },
});
const { small, table } = values;
const minutes = values.minutes === undefined ? null : Number(values.minutes);
if (minutes !== null && !(minutes > 0)) {
  process.stderr.write(`error: --minutes ${values.minutes} is not a number above 0\n`);
  process.exit(2);
}
const unknown = asked.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `error: no benchmark ${unknown.join(', ')}\nhint: there are ${BENCHMARKS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

const results = path.join(packageRoot(), 'bench', 'results');
mkdirSync(results, { recursive: true });
let broken = 0;
const chosen = BENCHMARKS.filter(({ name }) => asked.length === 0 || asked.includes(name));
for (const benchmark of table ? [] : chosen.filter(({ hasSmallForm }) => !small || hasSmallForm)) {
  process.stdout.write(`${benchmark.name}  ${benchmark.title}\n`);
  const load = loadavg()[0] ?? 0;
  const figures = await benchmark.measure({ small, minutes });
  for (const figure of figures) {
    process.stdout.write(`    ${line(figure)}\n`);
    if (!keepsPromise(figure) && !small) broken++;
  }
  if (small) continue;
  const stored: StoredResult = {
    name: benchmark.name,
    title: benchmark.title,
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
    loadBefore: Number(load.toFixed(2)),
    loadAfter: Number((loadavg()[0] ?? 0).toFixed(2)),
    measuredAt: new Date().toISOString().slice(0, 10),
    figures,
  };
  writeFileSync(path.join(results, `${benchmark.name}.json`), `${JSON.stringify(stored, null, 2)}\n`);
}
if (small) process.exit(0);
const all = readdirSync(results)
  .filter((name) => /^[LRW]\d+\.json$/.test(name))
  .map((name) => JSON.parse(readFileSync(path.join(results, name), 'utf8')) as StoredResult)
  .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
writeTable(path.join(packageRoot(), 'docs', 'performance.md'), resultsTable(all));
process.exit(broken === 0 ? 0 : 1);

function line(figure: Figure): string {
  const { what, value, unit, promise, floor, floorIs } = figure;
  const kept = `${promiseHere(figure).toPrecision(3)} here, ${keepsPromise(figure) ? 'kept' : 'NOT KEPT'}`;
  return `${what}: ${value.toPrecision(3)} ${unit}, promise ${promise} ${unit} (${kept}), ${timesFloor(figure).toFixed(1)} × the floor of ${floor.toPrecision(3)} ${unit} (${floorIs})`;
}
