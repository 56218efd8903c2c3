import { join } from 'node:path';
import { attemptEnvironment } from './environment.ts';
import type { Launcher, ProcessEnd } from './launcher.ts';
import { collectResultFiles, resultFiles } from './result-files.ts';
import { Scratch } from './scratch.ts';
import { failed, type AttemptOrder, type EndReason, type Ending } from './task-runner.ts';

export interface ScratchProcess {
  readonly launcher: Launcher;
  readonly path: string;
  /** Of its scratch folder; used once. */
  readonly name: string;
  /** Asked once the folder is there. Variables of the attempt win over these. */
  readonly command: (folder: string) => {
    readonly file: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  };
}

/** Runs one process in a group and a scratch folder of its own, and takes what it left in its result files. */
export async function runInScratch(order: AttemptOrder, process: ScratchProcess): Promise<ProcessEnd> {
  const folder = join(process.launcher.scratchFolder(), process.name);
  const scratch = new Scratch(folder, order.release);
  try {
    const end = await execute(order, process, folder);
    await collectResultFiles(resultFiles(folder), order.findings);
    return end;
  } finally {
    await scratch.remove();
  }
}

/** `what` could not be started: "the shell". */
export function endingOf(end: ProcessEnd, what: string): Ending {
  if (end.kind === 'exited') return end;
  if (end.kind === 'refused') return failed(`${what} could not be started: ${end.message}`);
  return { kind: 'outcome', outcome: { kind: 'lost', message: 'the launcher process died' } };
}

function execute(order: AttemptOrder, { launcher, path, command }: ScratchProcess, folder: string) {
  const { file, args, env = {} } = command(folder);
  const own = attemptEnvironment({ ...order, path, scratch: folder, files: resultFiles(folder) });
  const request = { file, args, cwd: folder, env: { ...env, ...own }, input: false, control: false };
  return new Promise<ProcessEnd>((resolve) => {
    const launched = launcher.launch(request, {
      started: order.started,
      output: (stream, chunk) => order.log.output(stream, chunk),
      ended: (end) => {
        order.signal.removeEventListener('abort', stop);
        resolve(end);
      },
    });
    const stop = (): void => launched.end((order.signal.reason as EndReason).graceMs);
    order.signal.addEventListener('abort', stop);
    if (order.signal.aborted) stop();
  });
}
