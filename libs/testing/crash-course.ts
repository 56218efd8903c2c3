import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** Something that goes on in a process which may be killed at each of its commits, and then goes on in another one. */
export interface CrashCourse {
  readonly name: string;
  /** Before and after each commit, in the order in which an undisturbed process passes them. */
  readonly points: readonly string[];
  /**
   * Kills a process there and lets another end what it began: what is left, and what an undisturbed one leaves. Not
   * `reached`: events that came together were written with fewer commits this time, and it ended before that one.
   */
  killedAt(point: string): Promise<{ readonly reached: boolean; readonly found: unknown; readonly wanted: unknown }>;
}

export interface CrashDriver {
  /** Starts a process that is to die at that point of its course; resolves to the signal that ended it. */
  killedAt(databaseUrl: string, point: string): Promise<NodeJS.Signals | null>;
  close(): Promise<void>;
}

const ROOT = path.join(import.meta.dirname, '../..');

/** `file`: of this folder. Bundled once: a process of its own for each point would otherwise compile the same files each time. */
export async function bundleDriver(file: string): Promise<CrashDriver> {
  const folder = await mkdtemp(path.join(ROOT, 'node_modules/.sluice-kill-'));
  const driver = path.join(folder, 'driver.mjs');
  await build({
    ...{ entryPoints: [path.join(import.meta.dirname, file)], outfile: driver, bundle: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    // With the packages in it, which are CommonJS: a process starts in half the time.
    banner: {
      js: `import { createRequire } from 'node:module';
const [require, __dirname] = [createRequire(import.meta.url), import.meta.dirname];`,
    },
  });
  return {
    killedAt: async (databaseUrl, point) => {
      const child = spawn(process.execPath, [driver], {
        env: { PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: databaseUrl, SLUICE_DEBUG_KILL: point },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      return signal;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
