import { amountText } from '#core';
import { heldBy, processesUnder, readProcesses } from './process-memory.ts';
import type { AttemptOrder, EndReason, Ending, TaskRunner } from './task-runner.ts';

/** A look costs about 3 ms of a processor; in that time a process may take some hundred MiB more. */
const LOOK_MS = 500;
/** As the shell says it of a process that the kernel ended for its memory. */
const KILLED = 137;

interface Watched {
  readonly pid: number;
  readonly limit: number;
  readonly onMore: (used: number) => void;
}

/** Looks twice a second at what processes hold, while somebody is to be held to a limit. */
export class MemoryWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  /** `onMore` is called, once, when the process and what it started hold more than `limit` bytes. Returns how to stop looking. */
  watch(pid: number, limit: number, onMore: (used: number) => void): () => void {
    const watched = { pid, limit, onMore };
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return () => this.#forget(watched);
  }

  #look(): void {
    const processes = readProcesses();
    for (const watched of this.#watched) {
      const own = processesUnder(watched.pid, processes);
      // Never less than what they hold, and known already.
      const atMost = own.reduce((sum, { resident }) => sum + resident, 0);
      const used = atMost > watched.limit ? heldBy(own) : atMost;
      if (used <= watched.limit) continue;
      this.#forget(watched);
      watched.onMore(used);
    }
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** The same runner, which ends what it runs when that holds more than `limit` bytes of memory. */
export function heldToMemory(runner: TaskRunner, limit: number, watch: MemoryWatch): TaskRunner {
  return { run: (order) => runHeld(order, runner, limit, watch), close: () => runner.close() };
}

async function runHeld(order: AttemptOrder, runner: TaskRunner, limit: number, watch: MemoryWatch): Promise<Ending> {
  const control = new AbortController();
  const endFromOutside = (): void => control.abort(order.signal.reason);
  order.signal.addEventListener('abort', endFromOutside);
  if (order.signal.aborted) endFromOutside();
  let more: Ending | null = null;
  const end = (used: number): void => {
    const outcome = { kind: 'failed', exitCode: KILLED, message: messageOf(used, limit) } as const;
    order.log.say(`${outcome.message}: ending its processes`);
    more = { kind: 'outcome', outcome };
    // Time to tidy up would be time to take more.
    control.abort({ outcome, graceMs: 0 } satisfies EndReason);
  };
  let letGo = (): void => undefined;
  const started = (pid: number): void => {
    letGo();
    letGo = watch.watch(pid, limit, end);
    order.started(pid);
  };
  try {
    const ending = await runner.run({ ...order, signal: control.signal, started });
    return more ?? ending;
  } finally {
    letGo();
    order.signal.removeEventListener('abort', endFromOutside);
  }
}

function messageOf(used: number, limit: number): string {
  const [has, may] = [used, limit].map((bytes) => amountText('memory', bytes).replace(' of memory', ''));
  return `it held ${has} of memory, its resources say ${may}`;
}
