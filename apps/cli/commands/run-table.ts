import type { Run, RunDetail } from '#contracts';
import type { Cell } from '../output/cell.ts';
import type { Column } from '../output/output.ts';

/** Milliseconds from start to end, to `now` while it runs; null before it starts. */
export function runDuration(
  run: { readonly startedAt: string | null; readonly finishedAt: string | null },
  now: Date,
): number | null {
  if (run.startedAt === null) return null;
  return (run.finishedAt === null ? now.getTime() : Date.parse(run.finishedAt)) - Date.parse(run.startedAt);
}

export function runColumns(now: Date): readonly Column<Run>[] {
  return [
    { header: 'ID', cell: (run) => run.id },
    { header: 'PIPELINE', cell: (run) => run.pipeline, shrinks: true },
    { header: 'STATE', cell: (run) => ({ kind: 'state', state: run.state }) },
    { header: 'INTERVAL', cell: (run) => ({ kind: 'interval', interval: run.interval }), shrinks: true },
    { header: 'TRIGGER', cell: (run) => run.trigger },
    { header: 'CREATED', cell: (run) => ({ kind: 'instant', at: run.createdAt }) },
    { header: 'DURATION', cell: (run) => ({ kind: 'duration', ms: runDuration(run, now) }), align: 'right' },
    { header: 'ENV', cell: (run) => run.environment, wide: true },
    { header: 'RELEASE', cell: (run) => releaseText(run), wide: true },
    { header: 'REASON', cell: (run) => (run.marked ? markedText(run.marked) : run.reason), wide: true, shrinks: true },
  ];
}

/** What started a run, and what it started: for those that were started so or did. */
export function startFields({ startedBy, event, started, outdated }: RunDetail): (readonly [string, Cell])[] {
  const named = ({ runId, pipeline, path }: RunDetail['startedBy'][number]): string =>
    `${runId} (${pipeline}${path === null ? '' : `.${path}`})`;
  return [
    ...(startedBy.length === 0 ? [] : [['started by', startedBy.map(named).join(', ')] as const]),
    ...(outdated === undefined
      ? []
      : [['changed since', outdated.map(({ taskId, why }) => `${taskId}: ${why}`).join('; ')] as const]),
    ...(event === null ? [] : [['event', `${event.name}, key ${event.key}, from ${event.actor}`] as const]),
    ...(started.length === 0
      ? []
      : [
          [
            'starts',
            started.map(({ runId, pipeline, state }) => `${runId} (${pipeline}, ${state})`).join(', '),
          ] as const,
        ]),
  ];
}

/** What somebody said that it counts as. */
export function markedText({ as, by, reason }: NonNullable<Run['marked']>): string {
  return `marked ${as} by ${by}: ${reason}`;
}

export function runFields(run: Run, now: Date): (readonly [string, Cell])[] {
  return [
    ['id', run.id],
    ['pipeline', run.pipeline],
    ['environment', run.environment],
    ['state', { kind: 'state', state: run.state }],
    ...(run.reason === null ? [] : [['reason', run.reason] as const]),
    ...(run.marked === undefined ? [] : [['marked', markedText(run.marked)] as const]),
    ['why', run.why],
    ['interval', { kind: 'interval', interval: run.interval }],
    ['params', Object.keys(run.params).length === 0 ? null : JSON.stringify(run.params)],
    ['release', releaseText(run)],
    ...(run.originRun === null ? [] : [['rerun of', run.originRun] as const]),
    ['created', { kind: 'instant', at: run.createdAt }],
    ['started', { kind: 'instant', at: run.startedAt }],
    ['finished', { kind: 'instant', at: run.finishedAt }],
    ['duration', { kind: 'duration', ms: runDuration(run, now) }],
  ];
}

/** A digest is long and its first twelve digits name it; a dirty one says so. */
export function releaseText(run: { readonly release: string; readonly dirty: boolean }): string {
  return `${run.release.slice(0, 12)}${run.dirty ? ' (dirty)' : ''}`;
}
