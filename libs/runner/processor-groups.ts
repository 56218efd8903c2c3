import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bring, leftoversIn, makeGroup, OWN_NAME, pidsIn, remove } from './control-group.ts';
import { processesUnder } from './process-memory.ts';
import type { ProcessWatch } from './process-watch.ts';
import { processorPlace, type ProcessorPlace } from './processor-place.ts';
import type { TaskRunner } from './task-runner.ts';

/** Ten seconds: killed processes are gone when the kernel comes to it. */
const LOOKS_UNTIL_GONE = 20;

const REMEDY =
  'it takes root where control groups are of version 1, else a systemd unit with Delegate=cpu and DelegateSubgroup=main (docs/limits.md)';

/**
 * Control groups of Linux that keep processes from using more of the processors than they may, one for each process of
 * an attempt. Nothing here throws: what cannot be held goes on without a limit, and `say` is told the first time.
 */
export class ProcessorGroups {
  readonly #watch: ProcessWatch;
  readonly #say: (reason: string) => void;
  readonly #place: ProcessorPlace | string | null;
  #next = 1;
  #said = false;

  /** Removes what predecessors left behind. */
  constructor(watch: ProcessWatch, say: (reason: string) => void, place = placeOfThisProcess()) {
    this.#watch = watch;
    this.#say = say;
    this.#place = place;
    if (place === null || typeof place === 'string') return;
    for (const folder of leftoversIn(place.parent)) this.#removeLater(folder);
  }

  /** Holds a process and what it started to `cpu` processors. Returns how to let them go, back to where they came from. */
  hold(pid: number, cpu: number, attemptId: string): () => void {
    const place = this.#place;
    if (place === null) return () => undefined;
    if (typeof place === 'string') {
      this.#sayOnce(place);
      return () => undefined;
    }
    const group = join(place.parent, OWN_NAME, `${attemptId}.${this.#next++}`);
    if (!this.#try(() => makeGroup(place, group, cpu))) {
      remove(group);
      return () => undefined;
    }
    this.#bring([pid], group);
    const forget = this.#watch.watch((processes) => {
      // What was started before its parent was in the group, or has left it.
      const away = new Set(processesUnder(pid, processes).map((process) => process.pid));
      for (const there of pidsIn(group)) away.delete(there);
      this.#bring(away, group);
    });
    return () => {
      forget();
      this.#bring(pidsIn(group), place.home);
      this.#removeLater(group);
    };
  }

  /** Once nothing is held any more. */
  close(): void {
    if (this.#place !== null && typeof this.#place !== 'string') remove(join(this.#place.parent, OWN_NAME));
  }

  #bring(pids: Iterable<number>, group: string): void {
    for (const pid of pids) this.#try(() => bring(pid, group));
  }

  #removeLater(folder: string): void {
    if (remove(folder)) return;
    let looks = LOOKS_UNTIL_GONE;
    const forget = this.#watch.watch(() => {
      if (remove(folder) || --looks === 0) forget();
    });
  }

  #try(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.#sayOnce(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #sayOnce(reason: string): void {
    if (this.#said) return;
    this.#said = true;
    this.#say(`tasks are not held to their resources.cpu: ${reason}; ${REMEDY}`);
  }
}

/** The same runner, which keeps what it runs from using more than `cpu` processors, where this machine lets us. */
export function heldToProcessors(runner: TaskRunner, cpu: number, groups: ProcessorGroups): TaskRunner {
  return {
    close: () => runner.close(),
    run: async (order) => {
      let letGo = (): void => undefined;
      const started = (pid: number): void => {
        letGo();
        letGo = groups.hold(pid, cpu, order.assignment.attemptId);
        order.started(pid);
      };
      try {
        return await runner.run({ ...order, started });
      } finally {
        letGo();
      }
    },
  };
}

function placeOfThisProcess(): ProcessorPlace | string | null {
  try {
    return processorPlace(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  } catch {
    return null; // not Linux
  }
}
