import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '#core';
import type { Config } from './config.ts';
import { loadConfig } from './config.ts';
import type { Log } from './log.ts';
import { createLog } from './log.ts';
import { packageRoot } from './package-root.ts';

export interface ProcessStart {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Folder of the installed package. */
  readonly packageRoot: string;
  readonly say: (line: string) => void;
  /** Aborted by the first SIGINT or SIGTERM, also before `start` has resolved. */
  readonly stopping: AbortSignal;
}

/**
 * Runs a process of Sluice: reads the configuration, starts, stops in order on SIGINT or SIGTERM. A failure is told in
 * two lines, what and what to do, and ends with exit code 1. It stops by itself when `over` resolves.
 */
export async function runProcess(
  start: (given: ProcessStart) => Promise<{ readonly over?: Promise<void>; stop(): Promise<void> }>,
): Promise<void> {
  const root = packageRoot();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    const config = loadConfig();
    const stopping = new AbortController();
    const starting = start({
      config,
      log: createLog({ level: config.logLevel }),
      version,
      packageRoot: root,
      say,
      stopping: stopping.signal,
    });
    const stop = async (): Promise<void> => {
      // A start that is under way is waited for: ended half-way, it would leave behind what it has started.
      const started = await starting.catch(() => null);
      await started?.stop();
      process.exit(0);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        // A second Ctrl-C does not wait.
        if (stopping.signal.aborted) process.exit(130);
        stopping.abort();
        say('Stopping …');
        void stop();
      });
    const { over } = await starting;
    if (over === undefined) return;
    await over;
    if (!stopping.signal.aborted) await stop();
  } catch (error) {
    const { message, hint } =
      error instanceof SluiceError ? error : { message: (error as Error).stack ?? String(error), hint: undefined };
    process.stderr.write(`error: ${message}\n${hint ? `hint: ${hint}\n` : ''}`);
    process.exit(1);
  }
}
