import { existsSync, mkdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptEnvironment, baseEnvironment } from './environment.ts';
import type { Launcher, ProcessEnd } from './launcher.ts';
import { contextOf } from './node-runner.ts';
import { cutMasked, MAX_REASON_CHARS } from './masker.ts';
import { keepNotebook, removeNotebook } from './notebook-file.ts';
import { PythonZygote } from './python-zygote.ts';
import { collectResultFiles, resultFiles } from './result-files.ts';
import { Scratch } from './scratch.ts';
import { failed, outcomeOf, type AttemptOrder, type EndReason, type Ending, type TaskRunner } from './task-runner.ts';

/** A zygote without attempts is closed after this. */
const IDLE_MS = 60_000;

export interface PythonRunnerOptions {
  readonly launcher: Launcher;
  readonly childFolder: string;
  readonly path: string;
  readonly python: string;
  readonly now: () => number;
}

/** `python:` and `notebook:` tasks: each attempt is a process of its own, forked from an interpreter kept warm per environment and release. */
export class PythonRunner implements TaskRunner {
  readonly #options: PythonRunnerOptions;
  readonly #zygotes = new Map<string, PythonZygote>();
  #nextFolder = 1;
  #sweeper: NodeJS.Timeout | null = null;

  constructor(options: PythonRunnerOptions) {
    this.#options = options;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { body } = order.assignment;
    if (body.kind !== 'python' && body.kind !== 'notebook')
      throw new TypeError(`the python runner got a ${body.kind} task`);
    const folder = join(this.#options.launcher.scratchFolder(), `y${this.#nextFolder++}`);
    const scratch = new Scratch(folder, order.release);
    const failureFile = `${folder}.failure`;
    const notebookFile = `${folder}.ipynb`;
    try {
      const end = await this.#fork(order, { ...body, failureFile, notebookFile }, folder);
      await collectResultFiles(resultFiles(folder), order.findings);
      const reason = existsSync(failureFile)
        ? cutMasked(order.masker, await readFile(failureFile, 'utf8'), MAX_REASON_CHARS)
        : null;
      const ending = this.#endingOf(end, reason, order);
      if (body.kind === 'notebook') {
        const succeeded = outcomeOf(ending, order.findings.retryAfterMs).kind === 'success' && !order.signal.aborted;
        await keepNotebook(notebookFile, body, order, succeeded);
      }
      return ending;
    } finally {
      await scratch.remove();
      if (existsSync(failureFile)) await rm(failureFile, { force: true });
      if (body.kind === 'notebook') await removeNotebook(notebookFile);
    }
  }

  async close(): Promise<void> {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const zygote of this.#zygotes.values()) zygote.close();
    this.#zygotes.clear();
  }

  #fork(order: AttemptOrder, body: object, scratch: string): Promise<ProcessEnd> {
    const { env: values, ...context } = contextOf(order);
    const env = attemptEnvironment({ ...order, path: this.#options.path, scratch, files: resultFiles(scratch) });
    const zygote = this.#zygoteFor(order);
    return new Promise((resolve) => {
      const end = zygote.fork(
        { ...body, ...context, values, env },
        {
          started: order.started,
          output: (stream, chunk) => order.log.output(stream, chunk),
          ended: (ended) => {
            order.signal.removeEventListener('abort', stop);
            zygote.lastUsedAt = this.#options.now();
            resolve(ended);
          },
        },
      );
      const stop = (): void => end((order.signal.reason as EndReason).graceMs);
      order.signal.addEventListener('abort', stop);
      if (order.signal.aborted) stop();
    });
  }

  #zygoteFor(order: AttemptOrder): PythonZygote {
    const key = `${order.assignment.environment}\0${order.assignment.release}`;
    const known = this.#zygotes.get(key);
    if (known?.alive === true) return known;
    const zygote = this.#start();
    this.#zygotes.set(key, zygote);
    this.#sweeper ??= setInterval(() => this.#sweep(), IDLE_MS / 4).unref();
    return zygote;
  }

  #start(): PythonZygote {
    const { launcher, childFolder, path, python } = this.#options;
    const home = join(launcher.scratchFolder(), `z${this.#nextFolder}`);
    mkdirSync(home, { mode: 0o700 });
    const recordFile = launcher.recordFile(`z${this.#nextFolder++}`);
    const args = ['-u', join(childFolder, 'python-zygote.py'), JSON.stringify({ recordFile })];
    return new PythonZygote(launcher, recordFile, { file: python, args, cwd: home, env: baseEnvironment(path, home) });
  }

  #endingOf(end: ProcessEnd, reason: string | null, { findings }: AttemptOrder): Ending {
    switch (end.kind) {
      case 'lost':
        return { kind: 'outcome', outcome: { kind: 'lost', message: 'the python process was killed' } };
      case 'refused':
        return failed(
          `${this.#options.python} could not be started (${end.code === 'ENOENT' ? 'not found' : end.message}): ` +
            'python tasks need Python 3.9 or later on the PATH of the server',
        );
      case 'exited': {
        const outcome = outcomeOf(end, findings.retryAfterMs);
        if (reason === null || outcome.kind === 'success') return end;
        return { kind: 'outcome', outcome: { ...outcome, message: reason } };
      }
    }
  }

  #sweep(): void {
    const oldest = this.#options.now() - IDLE_MS;
    for (const [key, zygote] of this.#zygotes) {
      if (zygote.alive && (zygote.busy || zygote.lastUsedAt >= oldest)) continue;
      zygote.close();
      this.#zygotes.delete(key);
    }
  }
}
