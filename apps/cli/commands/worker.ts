import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { packageRoot } from '../package-root.ts';

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description(
      'execute attempts of a server elsewhere on this machine until it is stopped; settings: docs/workers.md',
    )
    .option('--attempt <id>', 'execute this attempt and end; needs no Redis (what a pod of Kubernetes runs)')
    .action(async () => {
      // The process of its own, in this one: it reads its settings and arguments itself, and stops in order on SIGTERM.
      await import(pathToFileURL(join(packageRoot(), 'dist', 'worker.js')).href);
    });
}
