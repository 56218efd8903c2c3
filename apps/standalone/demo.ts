import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Installation, ProcessStart } from '#platform';
import {
  createLog,
  openInstallation,
  readMetricSeries,
  runProcess,
  startEmbeddedPostgres,
  WorkingTree,
} from '#platform';
import { promoteCommits } from './demo-promotions.ts';
import { verifyRuns } from './demo-verify.ts';

/** `npm run demo`: the example pipelines over January 2001, headless, in a fresh folder; ends with a summary. */
const ENVIRONMENT = 'dev';
const FROM = '2001-01-01';
const TO = '2001-02-01';

interface DemoRun {
  readonly id: string;
  readonly pipeline: string;
  readonly state: string;
  readonly seconds: number;
}

await runProcess((given) =>
  demo(given).catch((error: unknown) => {
    // What fails because it is being closed is no failure: the end of closing ends the process.
    if (given.stopping.aborted) return new Promise<never>(() => undefined);
    throw error;
  }),
);

async function demo(given: ProcessStart): Promise<never> {
  const started = performance.now();
  const home = path.join(given.config.home, 'demo');
  await rm(home, { recursive: true, force: true });
  const closers: (() => Promise<void>)[] = [];
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= closeAll(closers));
  given.stopping.addEventListener('abort', () => void close().finally(() => process.exit(130)));
  const config = { ...given.config, home };
  const log = createLog({ level: 'error' });
  given.say(`Running the example pipelines over January 2001 in ${home} …`);
  const postgres = await startEmbeddedPostgres({ dataFolder: path.join(home, 'postgres') });
  closers.push(() => postgres.stop());
  const installation = await openInstallation({
    config,
    databaseUrl: postgres.url,
    log,
    publicUrl: '',
    packageRoot: given.packageRoot,
    firesSchedules: false,
    storageRoot: path.join(home, 'storage'),
  });
  closers.push(() => installation.close());
  const { store, releases, environments } = installation;
  await new WorkingTree({
    project: config.project,
    store,
    releases,
    environments,
    log,
    onChange: () => undefined,
  }).refresh();
  await installation.startScheduler();
  const runs = await runAll(installation, given.say);
  const lasts = [...new Map(runs.map((run) => [run.pipeline, run])).values()];
  const same = await verifyRuns(installation, lasts, given.say);
  await summarize(installation, runs, given.say);
  const promoted = await promoteCommits(installation, { folder: home, project: config.project }, given.say);
  const succeeded = runs.filter((run) => run.state === 'success').length;
  given.say(
    `\n${succeeded} of ${runs.length} runs succeeded in ${((performance.now() - started) / 1000).toFixed(0)} s.`,
  );
  await close();
  process.exit(same && promoted && succeeded === runs.length ? 0 : 1);
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of [...closers].reverse()) await close();
}

/** Backfills every pipeline that has intervals in the month and waits for the last run. */
async function runAll(installation: Installation, say: (line: string) => void): Promise<DemoRun[]> {
  const { backfills, pipelines, store, db } = installation;
  const pointer = await store.currentRelease(ENVIRONMENT);
  const ids: string[] = [];
  let planned = 0;
  for (const pipeline of pointer ? await pipelines.all(pointer.release) : []) {
    const wanted = { environment: ENVIRONMENT, pipeline: pipeline.name, from: FROM, reprocess: 'missing' as const };
    const month = await backfills.plan({ ...wanted, to: TO });
    // A week that ends in February would wait for days that nobody fetches here.
    const last = month.items.findLast(({ interval }) => interval.end <= new Date(TO));
    if (!last) continue;
    const to = last.interval.end.toISOString();
    const { id, items } = await backfills.create({ ...wanted, to }, 'the demo');
    const inside = items.filter((item) => item.action === 'create').length;
    say(`  ${pipeline.name}: ${inside} intervals`);
    ids.push(id ?? '');
    planned += inside;
  }
  let shown = -1;
  for (;;) {
    const nextCommit = new Promise<void>((resolve) => installation.onCommit(resolve));
    const rows: DemoRun[] = await db.query(
      `select id::text, pipeline, state, extract(epoch from finished_at - started_at)::float8 as seconds from run where backfill_id = any($1::bigint[]) order by run.id`,
      [ids],
    );
    const ended = rows.filter((row) => row.state !== 'queued' && row.state !== 'running').length;
    if (Math.floor(ended / 10) > shown) say(`  ${String(ended).padStart(3)} of ${planned} runs ended`);
    shown = Math.max(shown, Math.floor(ended / 10));
    if (ended === planned) return rows;
    await nextCommit;
  }
}

async function summarize(
  installation: Installation,
  runs: readonly DemoRun[],
  say: (line: string) => void,
): Promise<void> {
  const names = [...new Set(runs.map((run) => run.pipeline))].sort();
  say('\nPipeline         runs  success  median s  longest s');
  for (const name of names) {
    const own = runs.filter((run) => run.pipeline === name);
    const seconds = own.map((run) => run.seconds).sort((a, b) => a - b);
    const cells = [
      own.length,
      own.filter((run) => run.state === 'success').length,
      (seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(2),
      (seconds.at(-1) ?? 0).toFixed(2),
    ];
    say(
      `${name.padEnd(15)}  ${String(cells[0]).padStart(4)}  ${String(cells[1]).padStart(7)}  ${String(cells[2]).padStart(8)}  ${String(cells[3]).padStart(9)}`,
    );
  }
  const series = await readMetricSeries(installation, ENVIRONMENT, 'delay-model', {
    task: null,
    name: null,
    runs: 100,
  });
  const auc = series.find((each) => each.name === 'auc')?.points ?? [];
  const baseline = series.find((each) => each.name === 'auc_baseline')?.points ?? [];
  say('\nWeek of     AUC     baseline   (judged on days that the model has not seen)');
  for (const [index, point] of auc.entries())
    say(
      `${(point.intervalStart ?? '').slice(0, 10)}  ${point.value.toFixed(4)}  ${baseline[index]?.value.toFixed(4) ?? ''}`,
    );
  const storage = installation.environments.get(ENVIRONMENT)?.config.storage ?? '';
  say(`\nOutputs lie in ${storage.replace('file://', '')}:`);
  const rows: { location: string; files: number }[] = await installation.db.query(
    `select pipeline || '/' || path as location, count(*)::int as files from path_pointer where environment = $1 and version is not null group by 1 order by 1`,
    [ENVIRONMENT],
  );
  for (const row of rows) say(`  ${row.location}/  ${row.files} published`);
}
