import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { removeTree } from './child/remove-tree.mjs';
import { baseEnvironment } from './environment.ts';
import type { Launcher } from './launcher.ts';
import type { ReleaseFolder } from './release-folders.ts';
import type { AttemptOrder, Ending, TaskRunner } from './task-runner.ts';
import { runInWarmProcess } from './warm-attempt.ts';
import type { WarmPool } from './warm-pool.ts';
import { WarmProcess } from './warm-process.ts';

export interface NodeRunnerOptions {
  readonly launcher: Launcher;
  readonly pool: WarmPool;
  readonly childFolder: string;
  readonly path: string;
  /** Folder whose node_modules serve tasks that have none beside them; null: none. */
  readonly moduleRoot: string | null;
}

/** `node:` tasks and plugins: `file#export` is called with one `ctx` in a process that stays warm for this file of this release. */
export class NodeRunner implements TaskRunner {
  readonly #options: NodeRunnerOptions;
  #nextFolder = 1;

  constructor(options: NodeRunnerOptions) {
    this.#options = options;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { body, environment, release } = order.assignment;
    if (body.kind !== 'node' && body.kind !== 'uses') throw new TypeError(`the node runner got a ${body.kind} task`);
    const { pool, launcher } = this.#options;
    const call = body.kind === 'uses' ? pluginCall(body) : { file: body.file, export: body.export };
    const key = `node\0${environment}\0${release}\0${call.file}`;
    const process = pool.take(key, () => this.#start(order.release), order.assignment.resources?.memory);
    const scratch = join(launcher.scratchFolder(), `n${this.#nextFolder++}`);
    const request = { ...call, ...contextOf(order), scratch };
    const { ending, reusable, scratch: used } = await runInWarmProcess(process, request, order);
    pool.giveBack(key, process, reusable);
    if (!reusable) await process.gone;
    if (used) await removeTree(scratch);
    if (ending === null) return this.run(order);
    return body.kind === 'uses' ? named(ending, `plugin ${body.plugin}@${body.version}`) : ending;
  }

  async close(): Promise<void> {
    this.#options.pool.close();
  }

  #start(release: ReleaseFolder): WarmProcess {
    const { launcher, childFolder, path, moduleRoot } = this.#options;
    const folder = join(launcher.scratchFolder(), `w${this.#nextFolder++}`);
    const home = join(folder, 'home');
    const work = join(folder, 'work');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    mkdirSync(work, { mode: 0o700 });
    for (const name of release.entries) symlinkSync(join(release.folder, name), join(work, name));
    // Attempts share it: nothing may be left there for the next one.
    chmodSync(work, 0o500);
    // A release below the project finds the project's packages by itself.
    const fallback = moduleRoot === null || release.folder.startsWith(`${moduleRoot}/`) ? null : moduleRoot;
    const settings = JSON.stringify({ releaseDir: release.folder, moduleRoot: fallback, projectDir: moduleRoot });
    const file = process.execPath;
    const args = [join(childFolder, 'node-worker.mjs'), settings];
    const env = {
      ...baseEnvironment(path, home),
      ...(moduleRoot === null ? {} : { NODE_PATH: join(moduleRoot, 'node_modules') }),
    };
    return new WarmProcess(launcher, { file, args, cwd: work, env }, () => void removeTree(folder));
  }
}

/** `run` of the plugin, which gets what `with:` says behind `ctx`. */
function pluginCall(body: Extract<Assignment['body'], { kind: 'uses' }>) {
  const { plugin: name, version, package: inPackage, entry, input } = body;
  const folder = `plugins/${name}`;
  return { file: `${folder}/${entry}`, export: 'run', plugin: { folder, version, package: inPackage, entry, input } };
}

/** The same ending; what went wrong names whose code it was. */
function named(ending: Ending, name: string): Ending {
  if (ending.kind !== 'outcome' || ending.outcome.kind === 'success') return ending;
  return { ...ending, outcome: { ...ending.outcome, message: `${name}: ${ending.outcome.message}` } };
}

/** The values of `ctx`; see docs. A path that is read stands in `paths`, one that is written in `out`. */
export function contextOf(order: AttemptOrder) {
  const { assignment, folders, secrets, release } = order;
  const { attemptId, number, fence, context, env } = assignment;
  return {
    context,
    env,
    secrets,
    releaseDir: release.folder,
    attempt: { id: attemptId, number, fence },
    paths: foldersByName(assignment.reads, folders),
    out: foldersByName(assignment.writes, folders),
  };
}

function foldersByName(
  bindings: Assignment['reads'] | Assignment['writes'],
  folders: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(bindings.map(({ name, variable }) => [name, folders[variable]!]));
}
