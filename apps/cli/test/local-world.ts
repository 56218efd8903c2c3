import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { SluiceError, type AttemptResult, type LogKey } from '#core';
import type { TestWorld } from '#engine';
import { createLocalExecutor } from '#runner';
import { contained, createFileLogs, createFileStorage } from '#storage';
import { packageRoot } from '../package-root.ts';
import { fileText } from './file-text.ts';

/** How many last lines of the log of a task that failed a test shows. */
const LAST_LINES = 5;

/** A world in a temporary folder, with the runner that servers use; `root` holds `dags/`. Secrets there are none. */
export async function openLocalWorld(
  root: string,
  dataFolders: readonly string[],
): Promise<TestWorld & { close(): Promise<void> }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-test-')));
  const storage = createFileStorage({ root: join(folder, 'storage'), durable: false });
  const logs = createFileLogs({ root: join(folder, 'storage') });
  const built = join(packageRoot(), 'dist', 'child');
  const executor = createLocalExecutor({
    storageFor: () => storage,
    logsFor: () => logs,
    releases: { folder: async () => join(root, 'dags') },
    readSecret: async () => {
      throw new SluiceError('not_supported', 'tests have no secrets');
    },
    concurrency: 1,
    childFolder: existsSync(built) ? built : join(packageRoot(), 'libs', 'runner', 'child'),
    scratchFolder: join(folder, 'scratch'),
    pidFolder: join(folder, 'pids'),
    moduleRoot: root,
    dataFolders: () => dataFolders,
    // Results of tests do not depend on it.
    onProcessorsNotHeld: () => undefined,
  });
  const waiting = new Map<string, (result: AttemptResult) => void>();
  executor.onReport((report) => {
    if (report.kind === 'finished') waiting.get(report.result.attemptId)?.(report.result);
  });
  let given = 0;
  return {
    async publish(output, { files, folder: from }) {
      const attemptId = `given-${++given}`;
      const staged = await storage.stage({ attemptId, runId: 'given', reads: [], writes: [output] });
      const target = staged.folders[output.variable] ?? staged.root;
      if (from !== null) await copyInto(join(root, 'dags', from), target);
      for (const [name, content] of Object.entries(files)) {
        const file = contained(target, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, fileText(name, content));
      }
      const about = { release: '', pipeline: '', runId: 'given', taskId: '', mapIndex: 0, attempt: 1, fence: given };
      const [version] = await storage.seal(staged, about);
      await storage.discard(staged);
      if (version === undefined) throw new SluiceError('internal', `nothing was published at ${output.location}`);
      return version;
    },
    async execute(assignment) {
      const result = await new Promise<AttemptResult>((resolve) => {
        waiting.set(assignment.attemptId, resolve);
        executor.dispatch([assignment]);
      });
      const { outcome } = result;
      if (outcome.kind !== 'failed') return result;
      const lines = await lastLines(assignment);
      return { ...result, outcome: { ...outcome, message: [outcome.message, ...lines].join('; ') } };
    },
    async contentOf(version) {
      const { files } = await storage.manifest(version);
      return Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
    },
    async close() {
      await executor.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function lastLines({ runId, taskId, mapIndex, number }: LogKey): Promise<string[]> {
    const { lines } = await logs.read({ runId, taskId, mapIndex, number }, { fromLine: 1, limit: 10_000 });
    return lines
      .filter(({ stream }) => stream !== 'sys')
      .slice(-LAST_LINES)
      .map(({ text }) => text.trim());
  }
}

async function copyInto(from: string, target: string): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  await cp(from, isFolder ? target : join(target, basename(from)), { recursive: true });
}
