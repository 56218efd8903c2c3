import type { PipelineSummary, Run } from '#contracts';

/** Something a person should look at, most urgent first. */
export type Need =
  | { readonly kind: 'broken'; readonly pipeline: PipelineSummary }
  | { readonly kind: 'late'; readonly run: Run; readonly lateMs: number }
  | { readonly kind: 'failed'; readonly run: Run };

/** Broken files, runs past their deadline, failed runs that no later run has replaced. */
export function needsMe(pipelines: readonly PipelineSummary[], runs: readonly Run[], now: number): Need[] {
  // Who asked for a shadow run is told by what it was asked for.
  const known = [...new Map(runs.map((run) => [run.id, run])).values()].filter((run) => !run.shadow);
  const late = known.flatMap((run) =>
    run.finishedAt === null && run.deadlineAt !== null && Date.parse(run.deadlineAt) < now
      ? [{ kind: 'late' as const, run, lateMs: now - Date.parse(run.deadlineAt) }]
      : [],
  );
  const failed = known
    .filter((run) => (run.state === 'failed' || run.state === 'timed_out') && !isReplaced(run, known))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return [
    ...pipelines.filter((one) => one.problems.length > 0).map((pipeline) => ({ kind: 'broken' as const, pipeline })),
    ...late.sort((a, b) => b.lateMs - a.lateMs),
    ...failed.map((run) => ({ kind: 'failed' as const, run })),
  ];
}

/** A later run of the same interval (or a rerun of this one) succeeded, is at work, or failed and is listed itself. */
function isReplaced(run: Run, runs: readonly Run[]): boolean {
  return runs.some(
    (other) =>
      other.createdAt > run.createdAt &&
      other.pipeline === run.pipeline &&
      (other.originRun === run.id || (run.interval !== null && other.interval?.start === run.interval.start)) &&
      other.state !== 'cancelled' &&
      other.state !== 'skipped',
  );
}
