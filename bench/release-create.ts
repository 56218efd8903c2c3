import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '#contracts/client';
import { createLog, loadConfig, openInstallation, packageRoot, readServerFile, startEmbeddedPostgres } from '#platform';
import { snapshotCommit } from '#release';
import { serveApi } from '../apps/api/serve.ts';
import { uploadRelease } from '#contracts/client';
import type { Benchmark } from './benchmark.ts';
import { FILES, pipelineText } from './many-files.ts';
import { median } from './quantile.ts';

const TIMES = 7;

export const releaseCreate: Benchmark = {
  name: 'R1',
  title: `\`release create\` of ${FILES.toLocaleString('en')} pipeline files, one of them changed, over HTTP`,
  measure: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
    const git = (...args: string[]): Buffer =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
        cwd: folder,
        maxBuffer: 1024 ** 3,
      });
    git('init', '-q');
    await mkdir(path.join(folder, 'dags'));
    for (let i = 0; i < FILES; i++) await writeFile(path.join(folder, 'dags', `p${i}.yaml`), pipelineText(i, 'first'));
    git('add', '-A');
    git('commit', '-q', '-m', 'first');
    const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, '.git', 'postgres') });
    const config = { ...loadConfig({}, folder), home: path.join(folder, '.git', 'sluice'), port: 0 };
    const log = createLog({ level: 'error' });
    const installation = await openInstallation({
      ...{ config, log, databaseUrl: postgres.url, publicUrl: '', packageRoot: packageRoot(), firesSchedules: false },
    });
    const api = await serveApi({ installation, log, version: '0', packageRoot: packageRoot(), problems: () => [] });
    try {
      const token = (await readServerFile(config.home))?.token ?? '';
      const client = createClient({ baseUrl: api.url, token });
      const create = async (): Promise<{ readMs: number; createMs: number }> => {
        const started = performance.now();
        const snapshot = await snapshotCommit({ repository: folder, ref: 'HEAD' });
        const read = performance.now();
        const { digest } = await uploadRelease(client, snapshot, { branch: null, buildUrl: null });
        if (digest !== snapshot.digest) throw new Error(`${digest} is not ${snapshot.digest}`);
        return { readMs: read - started, createMs: performance.now() - read };
      };
      // The first one compiles all files; the promise is about a change.
      await create();
      const changed: { readMs: number; createMs: number }[] = [];
      for (let i = 0; i < TIMES; i++) {
        await writeFile(path.join(folder, 'dags', `p${i}.yaml`), pipelineText(i, `change ${i}`));
        git('commit', '-q', '-a', '-m', `change ${i}`);
        changed.push(await create());
      }
      const bare = readFloorMs(git);
      return [
        {
          what: 'after the git read',
          value: median(changed.map(({ createMs }) => createMs)),
          unit: 'ms',
          promise: 300,
          floor: bare,
          floorIs: 'bare `git ls-tree` and `git cat-file --batch` of all',
          promisedFloor: null,
        },
        {
          what: 'git read and hash of all',
          value: median(changed.map(({ readMs }) => readMs)),
          unit: 'ms',
          promise: 1000,
          floor: bare,
          floorIs: 'bare `git ls-tree` and `git cat-file --batch` of all',
          promisedFloor: null,
        },
      ];
    } finally {
      await api.close();
      await installation.close();
      await postgres.stop();
      await rm(folder, { recursive: true });
    }
  },
};

function readFloorMs(git: (...args: string[]) => Buffer): number {
  const started = performance.now();
  git('ls-tree', '-r', '-l', '-z', 'HEAD');
  git('cat-file', '--batch', '--batch-all-objects', '--buffer');
  return performance.now() - started;
}
