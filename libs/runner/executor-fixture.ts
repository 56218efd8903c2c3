import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Assignment, AttemptReport, AttemptResult, LogLine, LogStore, Storage } from '#core';
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
  /** The attempt's log as `stream text` lines, with `[rank]` before the text of a replica. */
  logOf(assignment: Assignment): string[];
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly secretValues?: Readonly<Record<string, string>>;
  /** Makes the storage of tests that read or write paths, below the given root. */
  readonly storage?: (root: string) => Storage;
}

export const childFolder = join(import.meta.dirname, 'child');

export async function anExecutor(
  files: Readonly<Record<string, string>> = {},
  options: Partial<LocalExecutorOptions> & FixtureOptions = {},
): Promise<ExecutorFixture> {
  const folder = realpathSync(await mkdtemp(join(tmpdir(), 'sluice-runner-')));
  const releaseDir = join(folder, 'release');
  await mkdir(releaseDir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(releaseDir, name)), { recursive: true });
    await writeFile(join(releaseDir, name), text);
  }
  const logs = new RecordingLogs();
  const storage = options.storage?.(join(folder, 'root'));
  const reports: AttemptReport[] = [];
  const waiting = new Map<string, (result: AttemptResult) => void>();
  const executor = createLocalExecutor({
    storageFor: () => {
      if (storage === undefined) throw new Error('this test gave the fixture no storage');
      return storage;
    },
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
    logOf: (assignment) =>
      logs
        .linesOf(keyOf(assignment))
        .map(({ stream, rank, text }) => `${stream} ${rank === undefined ? '' : `[${rank}] `}${text}`),
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
    pool: 'default',
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

/**
 * Runs a loud task, whose log does not keep up until the same task has run three times besides: the lines that had been
 * read of it by then, how many the others had, and its result.
 */
export async function besideSlowLog(
  files: Readonly<Record<string, string>>,
  task: Assignment,
): Promise<{ heldAt: number; others: readonly number[]; result: AttemptResult }> {
  const slow = { ...task, logs: { maxBytes: 64 * 2 ** 20, maxLineBytes: 2_000 } };
  const lines = new Map<string, number>();
  let [goOn, hear] = [(): void => undefined, (): void => undefined];
  const heard = new Promise<void>((resolve) => (hear = resolve));
  const going = new Promise<void>((resolve) => (goOn = resolve));
  const open: LogStore['open'] = ({ runId }) =>
    Promise.resolve({
      write: (added) => {
        const count = added.reduce((sum, { text }) => sum + text.split('\n').length, 0);
        lines.set(runId, (lines.get(runId) ?? 0) + count);
        if (runId !== slow.runId) return null;
        hear();
        return going;
      },
      close: () => Promise.resolve(lines.get(runId)!),
    });
  const world = await anExecutor(files, { logsFor: () => ({ open }) as LogStore });
  const running = world.run(slow);
  await heard;
  const others: number[] = [];
  // Time enough for all of it, if nobody held it back.
  for (let i = 0; i < 3; i += 1)
    others.push((await world.run({ ...slow, attemptId: `other-${i}`, runId: `other-${i}` })).logLines);
  const heldAt = lines.get(slow.runId)!;
  goOn();
  const result = await running;
  await world.stop();
  return { heldAt, others, result };
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
        for (const { text, ...rest } of added)
          for (const line of text.split('\n')) lines.push({ ...rest, text: line, n: lines.length + 1 });
        for (const watcher of this.#watchers) watcher();
        return null;
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
