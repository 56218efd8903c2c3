import { type Effect, grouped } from './effects.ts';
import type { Kill, Task } from './workloads.ts';

/** A kill as it went, in ms of CLOCK_MONOTONIC. */
export interface Killed extends Pick<Kill, 'whom'> {
  readonly atMs: number;
}

/** What kills did to the tasks of a round; NaN where nothing came after. */
export interface Toll {
  /** Tasks that never ran to their end. */
  readonly lost: number;
  /** Tasks that ran to their end more than once. */
  readonly doubled: number;
  /** Bodies that began and did not get to their end: their tasks began once more, or are lost. */
  readonly cutShort: number;
  /** For each kill: seconds until a task began, whichever. */
  readonly nextAfter: readonly number[];
  /** For each kill: seconds until the last of the tasks that it cut short began once more; 0 when it cut none. */
  readonly againAfter: readonly number[];
}

/** From the lines of the bodies that began (`begun`) and of those that ended, by task, whatever the engine calls the run that goes on. */
export function tollOf(
  tasks: readonly Pick<Task, 'id'>[],
  begun: readonly Effect[],
  ended: readonly Effect[],
  kills: readonly Killed[],
): Toll {
  const [begunBy, endedBy] = [grouped(begun, taskOf), grouped(ended, taskOf)];
  const timesEnded = tasks.map(({ id }) => endedBy.get(id)?.length ?? 0);
  const complete = new Set(ended.map(bodyOf));
  const cut = begun.filter((effect) => !complete.has(bodyOf(effect)));
  return {
    lost: timesEnded.filter((times) => times === 0).length,
    doubled: timesEnded.filter((times) => times > 1).length,
    cutShort: cut.length,
    nextAfter: kills.map(({ atMs }) => secondsTo(begun, atMs)),
    againAfter: kills.map(({ atMs }, i) => {
      const since = kills[i - 1]?.atMs ?? -Infinity;
      const own = cut.filter(({ startMs }) => startMs > since && startMs <= atMs);
      return Math.max(0, ...own.map(({ task }) => secondsTo(begunBy.get(task) ?? [], atMs)));
    }),
  };
}

function secondsTo(begun: readonly Effect[], fromMs: number): number {
  const later = begun.map(({ startMs }) => startMs).filter((startMs) => startMs > fromMs);
  return later.length === 0 ? NaN : (Math.min(...later) - fromMs) / 1000;
}

function taskOf({ task }: Effect): string {
  return task;
}

function bodyOf({ task, startMs, pid }: Effect): string {
  return `${task} ${startMs} ${pid}`;
}
