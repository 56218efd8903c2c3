import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptEnvironment } from './environment.ts';
import type { Launcher } from './launcher.ts';
import { collectResultFiles, resultFiles } from './result-files.ts';
import { Scratch } from './scratch.ts';
import { failed, type AttemptOrder, type EndReason, type Ending, type TaskRunner } from './task-runner.ts';

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
    const folder = join(this.#launcher.scratchFolder(), `s${this.#nextScratch++}`);
    const scratch = new Scratch(folder, order.release);
    try {
      const ending = await this.#execute(order, body.script, folder);
      await collectResultFiles(resultFiles(folder), order.findings);
      return ending;
    } finally {
      await scratch.remove();
    }
  }

  async close(): Promise<void> {
    // nothing is kept between attempts
  }

  #execute(order: AttemptOrder, script: string, scratch: string): Promise<Ending> {
    const env = attemptEnvironment({ ...order, path: this.#path, scratch, files: resultFiles(scratch) });
    return new Promise((resolve) => {
      const request = { ...shellCommand(script, scratch), cwd: scratch, env, input: false, control: false };
      const launched = this.#launcher.launch(request, {
        started: order.started,
        output: (stream, chunk) => order.log.output(stream, chunk),
        ended: (end) => {
          order.signal.removeEventListener('abort', stop);
          if (end.kind === 'exited') resolve(end);
          else if (end.kind === 'refused') resolve(failed(`the shell could not be started: ${end.message}`));
          else resolve({ kind: 'outcome', outcome: { kind: 'lost', message: 'the launcher process died' } });
        },
      });
      const stop = (): void => launched.end((order.signal.reason as EndReason).graceMs);
      order.signal.addEventListener('abort', stop);
      if (order.signal.aborted) stop();
    });
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
