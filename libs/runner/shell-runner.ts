import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launcher.ts';
import { endingOf, runInScratch } from './run-in-scratch.ts';
import type { AttemptOrder, Ending, TaskRunner } from './task-runner.ts';

/** Linux refuses one argument over 128 KiB: longer scripts run from a file. */
const MAX_ARGUMENT_BYTES = 100 * 1024;
const BASH = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'].find((file) => existsSync(file));

/** `run:` tasks: one new process group per attempt, in a scratch folder of its own. */
export class ShellRunner implements TaskRunner {
  readonly #launcher: Launcher;
  readonly #path: string;
  #nextScratch = 1;

  constructor(launcher: Launcher, path: string) {
    this.#launcher = launcher;
    this.#path = path;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { body } = order.assignment;
    if (body.kind !== 'run') throw new TypeError(`the shell runner got a ${body.kind} task`);
    const end = await runInScratch(order, {
      launcher: this.#launcher,
      path: this.#path,
      name: `s${this.#nextScratch++}`,
      command: (folder) => shellCommand(body.script, folder),
    });
    return endingOf(end, 'the shell');
  }

  async close(): Promise<void> {
    // nothing is kept between attempts
  }
}

function shellCommand(script: string, scratch: string): { file: string; args: string[] } {
  const options = BASH === undefined ? ['-eu'] : ['-euo', 'pipefail'];
  const file = BASH ?? '/bin/sh';
  if (Buffer.byteLength(script) <= MAX_ARGUMENT_BYTES) return { file, args: [...options, '-c', script] };
  const scriptFile = join(scratch, '.sluice-script.sh');
  writeFileSync(scriptFile, script, { mode: 0o600 });
  return { file, args: [...options, scriptFile] };
}
