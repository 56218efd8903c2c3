import { amountText } from '#core';
import { heldBy, processesUnder } from './process-memory.ts';
import type { ProcessWatch } from './process-watch.ts';
import type { AttemptOrder, EndReason, Ending, TaskRunner } from './task-runner.ts';

/** As the shell says it of a process that the kernel ended for its memory. */
const KILLED = 137;

/** The same runner, which ends what it runs when that holds more than `limit` bytes of memory. */
export function heldToMemory(runner: TaskRunner, limit: number, watch: ProcessWatch): TaskRunner {
  return { run: (order) => runHeld(order, runner, limit, watch), close: () => runner.close() };
}

async function runHeld(order: AttemptOrder, runner: TaskRunner, limit: number, watch: ProcessWatch): Promise<Ending> {
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
    letGo = watchMemory(pid, limit, end, watch);
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

/** `onMore` is called, once, when the process and what it started hold more than `limit` bytes. Returns how to stop looking. */
function watchMemory(pid: number, limit: number, onMore: (used: number) => void, watch: ProcessWatch): () => void {
  const forget = watch.watch((processes) => {
    const own = processesUnder(pid, processes);
    // Never less than what they hold, and known already.
    const atMost = own.reduce((sum, { resident }) => sum + resident, 0);
    const used = atMost > limit ? heldBy(own) : atMost;
    if (used <= limit) return;
    forget();
    onMore(used);
  });
  return forget;
}

function messageOf(used: number, limit: number): string {
  const [has, may] = [used, limit].map((bytes) => amountText('memory', bytes).replace(' of memory', ''));
  return `it held ${has} of memory, its resources say ${may}`;
}
