import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createClient, uploadRelease, type SluiceClient } from '#contracts/client';
import { createLog, loadConfig, openInstallation, packageRoot, readServerFile, startEmbeddedPostgres } from '#platform';
import { snapshotCommit } from '#release';
import { serveApi } from '../apps/api/serve.ts';
import type { Benchmark } from './benchmark.ts';
import { commitFloorMs, spawnFloorMs } from './floors.ts';
import { median } from './quantile.ts';

const TIMES = 7;
const run = promisify(execFile);
const pipeline = (version: number): string => `name: p\ntasks: { a: { run: "true # ${version}" } }\n`;

export const rollback: Benchmark = {
  name: 'R2',
  title: '`sluice rollback`: from the command to the end of the next run, which is on the release before',
  measure: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd: folder });
    await git('init', '-q');
    for (const name of ['dags', 'environments']) await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, 'environments', 'prod.yaml'), 'name: prod\nstorage: file://./.git/prod\n');
    const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, '.git', 'postgres') });
    const config = { ...loadConfig({}, folder), home: path.join(folder, '.git', 'sluice'), port: 0 };
    const log = createLog({ level: 'error' });
    const installation = await openInstallation({
      ...{ config, log, databaseUrl: postgres.url, publicUrl: '', packageRoot: packageRoot(), firesSchedules: false },
    });
    await installation.environments.load(installation.store, 'the benchmark');
    const api = await serveApi({ installation, log, version: '0', packageRoot: packageRoot(), problems: () => [] });
    try {
      await installation.startScheduler(api.url);
      const token = (await readServerFile(config.home))?.token ?? '';
      const client = createClient({ baseUrl: api.url, token });
      const env = { PATH: process.env.PATH, SLUICE_URL: api.url, SLUICE_TOKEN: token };
      const sluice = (...args: string[]) =>
        run(process.execPath, [path.join(packageRoot(), 'bin/sluice.mjs'), ...args], { env });
      const digests: string[] = [];
      for (const version of [1, 2]) {
        await writeFile(path.join(folder, 'dags', 'p.yaml'), pipeline(version));
        await git('add', '-A');
        await git('commit', '-q', '-m', `version ${version}`);
        const snapshot = await snapshotCommit({ repository: folder, ref: 'HEAD' });
        digests.push((await uploadRelease(client, snapshot, { branch: null, buildUrl: null })).digest);
        await sluice('promote', '--to', 'prod', '--release', snapshot.digest, '--wait');
      }
      const commands: number[] = [];
      const wholes: number[] = [];
      for (let i = 0; i < TIMES; i++) {
        const back = digests[i % 2 === 0 ? 0 : 1] ?? '';
        const started = performance.now();
        await sluice('rollback', '--env', 'prod', '--to', back, '--wait');
        commands.push(performance.now() - started);
        const release = await aRun(client);
        if (release !== back) throw new Error(`the next run was on ${release}, not on ${back}`);
        wholes.push(performance.now() - started);
      }
      const floor = (await spawnFloorMs([process.execPath, '-e', '0'])) + (await commitFloorMs(postgres.url));
      const common = {
        unit: 'ms',
        floor,
        floorIs: 'a bare start of node and a bare commit',
        promisedFloor: null,
      } as const;
      return [
        { what: 'until the command is back', value: median(commands), promise: 2000, ...common },
        { what: 'until the run has ended', value: median(wholes), promise: 2000, ...common },
      ];
    } finally {
      await api.close();
      await installation.close();
      await postgres.stop();
      await rm(folder, { recursive: true });
    }
  },
};

/** Executes the pipeline; the release that it ran on. */
async function aRun(client: SluiceClient): Promise<string> {
  const { id } = await client.trigger('p', { environment: 'prod', params: {} });
  for (;;) {
    const { state, release, reason } = await client.run(id);
    if (state === 'success') return release;
    if (state !== 'queued' && state !== 'running') throw new Error(`run ${id} ended ${state}: ${reason ?? ''}`);
  }
}
