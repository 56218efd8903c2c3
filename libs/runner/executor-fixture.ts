import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Assignment, AttemptReport, AttemptResult, LogLine, LogStore, PublishedVersion, Storage } from '#core';
import { createLocalExecutor, type LocalExecutor, type LocalExecutorOptions } from './local-executor.ts';

/** An executor on real processes and real folders, for the tests of this lib. */
export interface ExecutorFixture {
  readonly executor: LocalExecutor;
  readonly folder: string;
  readonly releaseDir: string;
  readonly pidFolder: string;
  readonly scratchFolder: string;
  readonly reports: AttemptReport[];
  /** Dispatches one attempt and waits for its `finished` report. */
  run(assignment: Assignment): Promise<AttemptResult>;
  finished(attemptId: string): Promise<AttemptResult>;
  /** Resolves with the first log line that matches. */
  lineOf(assignment: Assignment, pattern: RegExp): Promise<string>;
  /** The attempt's log as `stream text` lines. */
  logOf(assignment: Assignment): string[];
  evidence(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export const childFolder = join(import.meta.dirname, 'child');

export async function anExecutor(
  files: Readonly<Record<string, string>> = {},
  options: Partial<LocalExecutorOptions> & { readonly secretValues?: Readonly<Record<string, string>> } = {},
): Promise<ExecutorFixture> {
  const folder = realpathSync(await mkdtemp(join(tmpdir(), 'sluice-runner-')));
  const releaseDir = join(folder, 'release');
  await mkdir(releaseDir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(releaseDir, name)), { recursive: true });
    await writeFile(join(releaseDir, name), text);
  }
  const logs = new RecordingLogs();
  const storage = folderStorage(join(folder, 'root'));
  const reports: AttemptReport[] = [];
  const waiting = new Map<string, (result: AttemptResult) => void>();
  const executor = createLocalExecutor({
    storageFor: () => storage,
    logsFor: () => logs,
    releases: { folder: () => Promise.resolve(releaseDir) },
    readSecret: (source) => {
      const name = 'env' in source ? source.env : source.file;
      const value = options.secretValues?.[name];
      return value === undefined ? Promise.reject(new Error(`${name} is not set`)) : Promise.resolve(value);
    },
    concurrency: 2,
    childFolder,
    scratchFolder: join(folder, 'scratch'),
    pidFolder: join(folder, 'pids'),
    ...options,
  });
  executor.onReport((report) => {
    reports.push(report);
    if (report.kind === 'finished') waiting.get(report.result.attemptId)?.(report.result);
  });
  const finished = (attemptId: string): Promise<AttemptResult> => {
    const already = reports.find((report) => report.kind === 'finished' && report.result.attemptId === attemptId);
    if (already?.kind === 'finished') return Promise.resolve(already.result);
    return new Promise((resolve) => waiting.set(attemptId, resolve));
  };
  return {
    executor,
    folder,
    releaseDir,
    pidFolder: join(folder, 'pids'),
    scratchFolder: join(folder, 'scratch'),
    reports,
    run: (assignment) => {
      const result = finished(assignment.attemptId);
      executor.dispatch([assignment]);
      return result;
    },
    finished,
    lineOf: (assignment, pattern) => logs.lineOf(keyOf(assignment), pattern),
    logOf: (assignment) => logs.linesOf(keyOf(assignment)).map((line) => `${line.stream} ${line.text}`),
    evidence: () => readdir(join(folder, 'root', 'evidence')).catch(() => []),
    stop: async () => {
      await executor.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let nextAttempt = 1;

/** An attempt of a shell task that does nothing, unless told otherwise. */
export function anAssignment(over: Partial<Assignment> = {}): Assignment {
  const id = String(nextAttempt++);
  return {
    attemptId: id,
    runId: `run-${id}`,
    environment: 'dev',
    pipeline: 'p',
    taskId: 't',
    mapIndex: 0,
    mapKey: '',
    number: 1,
    fence: 1,
    release: 'r'.repeat(64),
    body: { kind: 'run', script: 'true' },
    env: {},
    secrets: {},
    reads: [],
    writes: [],
    timeoutMs: null,
    context: { params: {}, matrix: {}, interval: null, ds: null, environment: 'dev', vars: {}, runId: `run-${id}` },
    logs: { maxBytes: 1024 * 1024, maxLineBytes: 16 * 1024 },
    ...over,
  };
}

export function shell(script: string, over: Partial<Assignment> = {}): Assignment {
  return anAssignment({ body: { kind: 'run', script }, ...over });
}

function keyOf({ runId, taskId, mapIndex, number }: Parameters<LogStore['open']>[0]): string {
  return `${runId}/${taskId}/${mapIndex}/${number}`;
}

class RecordingLogs implements LogStore {
  readonly #lines = new Map<string, LogLine[]>();
  readonly #watchers = new Set<() => void>();

  open(key: Parameters<LogStore['open']>[0]): ReturnType<LogStore['open']> {
    const lines: LogLine[] = [];
    this.#lines.set(keyOf(key), lines);
    return Promise.resolve({
      write: (added) => {
        for (const line of added) lines.push({ ...line, n: lines.length + 1 });
        for (const watcher of this.#watchers) watcher();
      },
      close: () => Promise.resolve(lines.length),
    });
  }

  linesOf(key: string): readonly LogLine[] {
    return this.#lines.get(key) ?? [];
  }

  lineOf(key: string, pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.linesOf(key).find((line) => pattern.test(line.text));
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found.text);
      };
      this.#watchers.add(look);
      look();
    });
  }

  read(): never {
    throw new Error('not used by the runner');
  }
  search(): never {
    throw new Error('not used by the runner');
  }
  follow(): never {
    throw new Error('not used by the runner');
  }
}

/** Version folders without hashing; locations are links. */
function folderStorage(root: string): Storage {
  let next = 1;
  const versionFolder = (version: string): string => join(root, 'versions', version);
  return {
    async stage({ attemptId, reads, writes }) {
      const staging = join(root, 'staging', attemptId);
      const folders: Record<string, string> = {};
      for (const { variable } of writes)
        await mkdir((folders[variable] = join(staging, 'out', variable)), { recursive: true });
      for (const { variable, versions } of reads) {
        const [only] = versions;
        if (only !== undefined && only.link === null) folders[variable] = versionFolder(only.version);
        else {
          await mkdir((folders[variable] = join(staging, 'in', variable)), { recursive: true });
          for (const { link, version } of versions)
            await symlink(versionFolder(version), join(folders[variable]!, link!));
        }
      }
      return { attemptId, root: staging, folders, writes };
    },
    async seal(staged) {
      const published: PublishedVersion[] = [];
      for (const { name, variable, location } of staged.writes) {
        const version = `v${next++}`;
        mkdirSync(join(root, 'versions'), { recursive: true });
        await rename(staged.folders[variable]!, versionFolder(version));
        published.push({
          name,
          location,
          version,
          manifestHash: '',
          files: (await readdir(versionFolder(version))).length,
          bytes: 0,
        });
      }
      return published;
    },
    discard: (staged) => rm(staged.root, { recursive: true, force: true }),
    project: () => Promise.resolve(),
    folder: (version) => Promise.resolve(versionFolder(version)),
    async writeEvidence({ runId, taskId }, result) {
      await mkdir(join(root, 'evidence'), { recursive: true });
      await writeFile(join(root, 'evidence', `${runId}-${taskId}.json`), JSON.stringify(result));
    },
    readEvidence: () => Promise.resolve(null),
  };
}
