import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { createLog, openInstallation, loadConfig, packageRoot, startEmbeddedPostgres, WorkingTree } from '#platform';
import { type Benchmark, type Figure, PROMISED_FLOORS } from './benchmark.ts';
import { median } from './quantile.ts';

export const FILES = 10_000;

/** A pipeline file of ten tasks; `note` makes it differ. */
export function pipelineText(i: number, note: string): string {
  const tasks = Array.from(
    { length: 10 },
    (_, t) => `  t${t}: { ${t > 0 ? `needs: [t${t - 1}], ` : ''}run: "echo ${t} $SLUICE_RUN_ID" }`,
  );
  return [
    `name: p${i}`,
    `description: ${note}`,
    `schedule: "${i % 60} ${i % 24} * * *"`,
    'defaults: { retries: { max: 2, delay: 30s } }',
    'tasks:',
    ...tasks,
    '',
  ].join('\n');
}

export const manyFiles: Benchmark = {
  name: 'L12',
  title: `${FILES.toLocaleString('en')} pipeline files of ten tasks: from the files on disk to what dev runs`,
  measure: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
    const dags = path.join(folder, 'dags');
    await mkdir(dags);
    await mkdir(path.join(folder, 'environments'));
    await writeFile(path.join(folder, 'environments', 'dev.yaml'), 'name: dev\nstorage: file://./storage\n');
    for (let i = 0; i < FILES; i++) await writeFile(path.join(dags, `p${i}.yaml`), pipelineText(i, 'first'));
    const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres') });
    const log = createLog({ level: 'error' });
    const installation = await openInstallation({
      config: { ...loadConfig({}, folder), home: path.join(folder, '.sluice') },
      databaseUrl: postgres.url,
      log,
      publicUrl: '',
      packageRoot: packageRoot(),
    });
    const { store, releases, environments, pipelines } = installation;
    const tree = new WorkingTree({ project: folder, store, releases, environments, log, onChange: () => undefined });
    /** As in the product: the snapshot becomes a release, dev points at it, and its pipelines are at hand. */
    const load = async (): Promise<number> => {
      const started = performance.now();
      await tree.refresh();
      const pointer = await store.currentRelease('dev');
      const loaded = pointer ? await pipelines.all(pointer.release) : [];
      const took = performance.now() - started;
      if (loaded.length !== FILES)
        throw new Error(`${loaded.length} pipelines: ${JSON.stringify(tree.problems().slice(0, 2))}`);
      return took;
    };
    try {
      const cold = await load();
      const changed: number[] = [];
      for (let i = 0; i < 5; i++) {
        await writeFile(path.join(dags, `p${i}.yaml`), pipelineText(i, `change ${i}`));
        changed.push(await load());
      }
      const unchanged: number[] = [];
      for (let i = 0; i < 5; i++) unchanged.push(await load());
      const read = await readFloorMs(dags);
      const parsed = await parseFloorMs(dags);
      const figures: Figure[] = [
        {
          what: 'cold',
          value: cold / 1000,
          unit: 's',
          promise: 10,
          floor: parsed / 1000,
          floorIs: 'bare read and YAML parse of all',
          promisedFloor: (PROMISED_FLOORS.parseMs * FILES) / 1000,
        },
        {
          what: 'one changed',
          value: median(changed),
          unit: 'ms',
          promise: 300,
          floor: read,
          floorIs: 'bare read and hash of all',
          promisedFloor: null,
        },
        {
          what: 'nothing changed',
          value: median(unchanged),
          unit: 'ms',
          promise: 100,
          floor: read,
          floorIs: 'bare read and hash of all',
          promisedFloor: null,
        },
      ];
      return figures;
    } finally {
      await installation.close();
      await postgres.stop();
      await rm(folder, { recursive: true });
    }
  },
};

async function readFloorMs(folder: string): Promise<number> {
  const started = performance.now();
  for (const name of await readdir(folder))
    createHash('sha256')
      .update(await readFile(path.join(folder, name)))
      .digest('hex');
  return performance.now() - started;
}

async function parseFloorMs(folder: string): Promise<number> {
  const started = performance.now();
  for (const name of await readdir(folder)) parse(await readFile(path.join(folder, name), 'utf8'));
  return performance.now() - started;
}
