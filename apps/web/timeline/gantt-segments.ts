import type { TaskState } from '#core';
import type { TaskRun } from '#contracts';

/** A stretch of a task run's life. Milliseconds since the epoch; `to` of what still goes on is `now`. */
export interface Segment {
  /** `ready`: wants a slot; `queued`: has one, not started; `run`: executing; `retry`: between two tries. */
  readonly kind: 'ready' | 'queued' | 'run' | 'retry';
  readonly state: TaskState | 'timed_out' | 'deferred';
  /** The try it belongs to. */
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

type Timed = Pick<TaskRun, 'state' | 'tries' | 'readyAt' | 'queuedAt' | 'startedAt' | 'finishedAt' | 'earlier'>;

/** Oldest first; none for what never became ready. */
export function ganttSegments(one: Timed, now: number): Segment[] {
  const segments: Segment[] = [];
  const add = (
    kind: Segment['kind'],
    state: Segment['state'],
    number: number,
    from: number | null,
    to: number | null,
  ) => {
    if (from !== null && to !== null && to >= from) segments.push({ kind, state, number, from, to });
  };
  const earlier = one.earlier ?? [];
  const over = one.finishedAt === null ? now : Date.parse(one.finishedAt);
  const firstQueued = earlier[0]?.queuedAt ?? one.queuedAt;
  add('ready', 'ready', 1, parse(one.readyAt), firstQueued === null ? over : parse(firstQueued));
  let ended: number | null = null;
  for (const attempt of earlier) {
    add('retry', 'retrying', attempt.number - 1, ended, parse(attempt.queuedAt));
    add('queued', 'queued', attempt.number, parse(attempt.queuedAt), parse(attempt.startedAt ?? attempt.finishedAt));
    add('run', attempt.state, attempt.number, parse(attempt.startedAt), parse(attempt.finishedAt));
    ended = parse(attempt.finishedAt);
  }
  add('retry', 'retrying', one.tries - 1, ended, parse(one.queuedAt));
  const started = parse(one.startedAt);
  add('queued', 'queued', one.tries, parse(one.queuedAt), started ?? over);
  const ranUntil = one.state === 'retrying' || one.finishedAt !== null ? over : now;
  add('run', one.state === 'retrying' ? 'failed' : one.state, one.tries, started, ranUntil);
  if (one.state === 'retrying') add('retry', 'retrying', one.tries, over, now);
  return segments;
}

/** From the first to the last moment of all segments (and of the run itself); at least a second, so that it can be drawn. */
export function ganttSpan(
  segments: readonly (readonly Segment[])[],
  run: { readonly createdAt: string; readonly startedAt: string | null; readonly finishedAt: string | null },
  now: number,
): { from: number; to: number } {
  let from = parse(run.startedAt) ?? Date.parse(run.createdAt);
  let to = run.finishedAt === null ? now : Date.parse(run.finishedAt);
  for (const list of segments)
    for (const one of list) {
      from = Math.min(from, one.from);
      to = Math.max(to, one.to);
    }
  return { from, to: Math.max(to, from + 1000) };
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Round distances from the start, at most `count` of them; milliseconds. */
export function ganttTicks(lengthMs: number, count: number): number[] {
  const step =
    (STEPS_S.find((one) => lengthMs / 1000 / one <= count) ?? Math.ceil(lengthMs / 1000 / count / 86_400) * 86_400) *
    1000;
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, index) => index * step);
}

/**
 * The chain of tasks that decided when the run ended: from the task run that finished last, always to the upstream that
 * finished last. Speeding up any other task would not have ended the run earlier.
 */
export function criticalPath(
  tasks: readonly { readonly id: string; readonly upstream: readonly string[] }[],
  taskRuns: readonly Pick<TaskRun, 'taskId' | 'startedAt' | 'finishedAt'>[],
): ReadonlySet<string> {
  const ends = new Map<string, number>();
  for (const one of taskRuns) {
    if (one.startedAt === null || one.finishedAt === null) continue;
    ends.set(one.taskId, Math.max(ends.get(one.taskId) ?? 0, Date.parse(one.finishedAt)));
  }
  const upstream = new Map(tasks.map((task) => [task.id, task.upstream]));
  const path = new Set<string>();
  let at = latest([...ends.keys()], ends);
  while (at !== null && !path.has(at)) {
    path.add(at);
    at = latest(upstream.get(at) ?? [], ends);
  }
  return path;
}

function latest(ids: readonly string[], ends: ReadonlyMap<string, number>): string | null {
  let best: string | null = null;
  for (const id of ids) {
    const end = ends.get(id);
    if (end !== undefined && end > (best === null ? -1 : (ends.get(best) ?? -1))) best = id;
  }
  return best;
}

function parse(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}
