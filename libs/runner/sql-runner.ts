import { mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Resources } from '#core';
import { removeTree } from './child/remove-tree.mjs';
import { baseEnvironment } from './environment.ts';
import type { Launcher } from './launcher.ts';
import { failed, type AttemptOrder, type Ending, type TaskRunner } from './task-runner.ts';
import { runInWarmProcess } from './warm-attempt.ts';
import type { WarmPool } from './warm-pool.ts';
import { WarmProcess } from './warm-process.ts';

/** One query may use two cores and a quarter of the memory (at most 4 GiB), then spills to disk, unless its task asked for some. */
const THREADS = 2;
const MEMORY_LIMIT_MIB = mib(Math.min(totalmem() / 4, 4 * 1024 ** 3));

export interface SqlRunnerOptions {
  readonly launcher: Launcher;
  readonly pool: WarmPool;
  readonly childFolder: string;
  readonly path: string;
  /** Folders that every sql task may read besides its own. */
  readonly dataFolders: (environment: string) => readonly string[];
}

/** `sql:` tasks: DuckDB in a process that stays warm per environment; its last one-row select is the outputs. */
export class SqlRunner implements TaskRunner {
  readonly #options: SqlRunnerOptions;
  #nextFolder = 1;

  constructor(options: SqlRunnerOptions) {
    this.#options = options;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { body } = order.assignment;
    if (body.kind !== 'sql') throw new TypeError(`the sql runner got a ${body.kind} task`);
    return this.#ask(order, { file: body.file, text: body.text });
  }

  /** Looks at the rows that an attempt of any kind wrote; results are among its findings, and a failed one is its end. */
  async check(order: AttemptOrder): Promise<Ending> {
    const { checks = [], reference = null } = order.assignment.tables ?? {};
    const { folders } = order;
    const tables = [...new Set(checks.map(({ path }) => path))].map((path) => ({
      path,
      folder: folderOf(order, path),
      quarantineFolder: folders[`QUARANTINE_${path.toUpperCase()}`] ?? null,
      checks: checks.filter((check) => check.path === path),
    }));
    // The process that ran the attempt is told already.
    const ending = await this.#ask({ ...order, started: () => undefined }, { tables, reference });
    const bad = order.findings.checks.find(({ state }) => state === 'failed');
    for (const { name, state, detail } of order.findings.checks)
      if (state !== 'passed') order.log.say(`check "${name}" ${state}: ${detail}`);
    return bad === undefined ? ending : failed(`check "${bad.name}" failed: ${bad.detail}`);
  }

  async #ask(order: AttemptOrder, asked: object): Promise<Ending> {
    const { environment, resources = {} } = order.assignment;
    const key = `sql\0${environment}`;
    const process = this.#options.pool.take(key, () => this.#start(), resources.memory);
    const request = {
      ...asked,
      settings: settingsOf(resources),
      releaseDir: order.release.folder,
      dataFolders: this.#options.dataFolders(environment),
      folders: Object.values(order.folders),
      variables: variablesOf(order),
    };
    const { ending, reusable } = await runInWarmProcess(process, request, order);
    this.#options.pool.giveBack(key, process, reusable);
    if (!reusable) await process.gone;
    return ending ?? this.#ask(order, asked);
  }

  async close(): Promise<void> {
    this.#options.pool.close();
  }

  #start(): WarmProcess {
    const { launcher, childFolder, path } = this.#options;
    const folder = join(launcher.scratchFolder(), `q${this.#nextFolder++}`);
    mkdirSync(folder, { mode: 0o700 });
    const settings = { threads: THREADS, memoryLimit: `${MEMORY_LIMIT_MIB}MiB`, spillFolder: join(folder, 'spill') };
    const file = process.execPath;
    const args = [join(childFolder, 'sql-worker.mjs'), JSON.stringify(settings)];
    const request = { file, args, cwd: folder, env: baseEnvironment(path, folder) };
    return new WarmProcess(launcher, request, () => void removeTree(folder));
  }
}

/** Where the path is written: a path that is read, too, has two folders. */
function folderOf({ assignment, folders }: AttemptOrder, path: string): string {
  const variable = assignment.writes.find(({ name }) => name === path)?.variable ?? '';
  return folders[variable] ?? '';
}

/** Everything a shell task would find in its environment, then parameters with their types, then bound expressions. */
function variablesOf(order: AttemptOrder): Record<string, unknown> {
  const { body, env, context } = order.assignment;
  const params = Object.entries(context.params).map(([name, value]) => [`PARAM_${name.toUpperCase()}`, value] as const);
  return {
    ...env,
    ...order.secrets,
    ...Object.fromEntries(params),
    ...order.folders,
    SLUICE_RELEASE_DIR: order.release.folder,
    ...(body.kind === 'sql' ? body.variables : {}),
  };
}

/** Of the memory two thirds: the rest is for what DuckDB does not count, and for the process around it. */
function settingsOf({ cpu, memory }: Resources): Record<string, string> {
  return {
    ...(cpu === undefined ? {} : { threads: String(Math.ceil(cpu)) }),
    ...(memory === undefined ? {} : { memory_limit: `${mib((memory * 2) / 3)}MiB` }),
  };
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
