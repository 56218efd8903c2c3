import type { PipelineSummary, Run } from '#contracts';

/** Something a person should look at, most urgent first. */
export type Need =
  | { readonly kind: 'broken'; readonly pipeline: PipelineSummary }
  | { readonly kind: 'late'; readonly run: Run; readonly lateMs: number }
  | { readonly kind: 'failed'; readonly run: Run };

/** Broken files, runs past their deadline, failed runs that nothing has repaired yet. */
export function needsMe(pipelines: readonly PipelineSummary[], runs: readonly Run[], now: number): Need[] {
  const known = [...new Map(runs.map((run) => [run.id, run])).values()];
  const late = known.flatMap((run) =>
    run.finishedAt === null && run.deadlineAt !== null && Date.parse(run.deadlineAt) < now
      ? [{ kind: 'late' as const, run, lateMs: now - Date.parse(run.deadlineAt) }]
      : [],
  );
  const failed = known
    .filter((run) => (run.state === 'failed' || run.state === 'timed_out') && !isRepaired(run, known))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return [
    ...pipelines.filter((one) => one.problems.length > 0).map((pipeline) => ({ kind: 'broken' as const, pipeline })),
    ...late.sort((a, b) => b.lateMs - a.lateMs),
    ...failed.map((run) => ({ kind: 'failed' as const, run })),
  ];
}

/** Repaired, or on the way to it: a later run of the same interval (or a rerun of this one) succeeded or is at work. */
function isRepaired(run: Run, runs: readonly Run[]): boolean {
  return runs.some(
    (other) =>
      other.createdAt > run.createdAt &&
      other.pipeline === run.pipeline &&
      (other.originRun === run.id || (run.interval !== null && other.interval?.start === run.interval.start)) &&
      (other.state === 'success' || other.state === 'running' || other.state === 'queued'),
  );
}

const HOUR = 3_600_000;

export interface HourCell {
  /** Start of the hour, epoch milliseconds. */
  readonly from: number;
  readonly good: number;
  readonly bad: number;
  readonly other: number;
  /** False: older than the oldest run that was read, so nothing is known. */
  readonly known: boolean;
}

/** Runs of each pipeline by the hour they were created in, the last 24 hours, oldest first. `complete` says that `runs` reach back that far. */
export function healthStrip(
  pipelines: readonly string[],
  runs: readonly Run[],
  now: number,
  complete: boolean,
): { readonly pipeline: string; readonly hours: readonly HourCell[] }[] {
  const first = Math.floor(now / HOUR) * HOUR - 23 * HOUR;
  const oldest = complete ? -Infinity : Math.min(Infinity, ...runs.map((run) => Date.parse(run.createdAt)));
  return pipelines.map((pipeline) => {
    const hours = Array.from({ length: 24 }, (_, index) => {
      const from = first + index * HOUR;
      return { from, good: 0, bad: 0, other: 0, known: from + HOUR > oldest };
    });
    for (const run of runs) {
      if (run.pipeline !== pipeline) continue;
      const cell = hours[Math.floor((Date.parse(run.createdAt) - first) / HOUR)];
      if (cell === undefined) continue;
      if (run.state === 'success') cell.good++;
      else if (run.state === 'failed' || run.state === 'timed_out') cell.bad++;
      else cell.other++;
    }
    return { pipeline, hours };
  });
}
