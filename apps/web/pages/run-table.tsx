import { Link } from '@tanstack/react-router';
import type { Run } from '#contracts';
import { markedText } from '../acting/marked.tsx';
import type { Selection } from '../acting/use-selection.ts';
import { PipelineLink } from '../parts/page.tsx';
import { Release } from '../parts/release.tsx';
import { RunLink } from '../parts/run-title.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import table from '../parts/table.module.css';
import { TaskCounts } from '../parts/task-counts.tsx';
import { Ago, Took } from '../parts/time.tsx';

interface RunTableProps {
  readonly runs: readonly Run[];
  readonly showPipeline: boolean;
  /** Absent: none can be chosen. */
  readonly selection?: Selection | undefined;
}

export function RunTable({ runs, showPipeline, selection }: RunTableProps) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-dense data-testid="runs">
        <thead>
          <tr>
            {selection && (
              <th className={table.tight}>
                <input
                  type="checkbox"
                  aria-label="All runs that are shown"
                  checked={selection.isAll}
                  onChange={selection.toggleAll}
                  data-testid="choose-all"
                />
              </th>
            )}
            <th>State</th>
            {showPipeline && <th>Pipeline</th>}
            <th>Interval</th>
            <th>Tasks</th>
            <th className={table.right}>Took</th>
            <th>Created</th>
            <th>Trigger</th>
            <th>Release</th>
            <th>Run</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} data-link data-testid={`run-${run.id}`}>
              {selection && (
                <td className={table.tight}>
                  <input
                    type="checkbox"
                    aria-label={`Run ${run.id} of ${run.pipeline}`}
                    checked={selection.chosen.has(run.id)}
                    onChange={(event) => selection.toggle(run.id, isShifted(event.nativeEvent))}
                    data-testid={`choose-${run.id}`}
                  />
                </td>
              )}
              <td className={table.tight}>
                <StateBadge state={run.state} />
              </td>
              {showPipeline && (
                <td className={table.tight}>
                  <PipelineLink name={run.pipeline} />
                </td>
              )}
              <td className={table.tight}>
                {run.interval === null ? <span className="dim">–</span> : <RunLink run={run} />}
              </td>
              <td className={table.tight}>
                <TaskCounts counts={run.counts} whole={run.finishedAt !== null} />
              </td>
              <td className={`${table.tight} ${table.right}`}>
                <Took from={run.startedAt} to={run.finishedAt} />
              </td>
              <td className={table.tight}>
                <Ago at={run.createdAt} />
              </td>
              <td className={table.tight}>{run.trigger}</td>
              <td className={table.tight}>
                <Release digest={run.release} dirty={run.dirty} />
              </td>
              <td className={table.tight}>
                <Link to="/runs/$run" params={{ run: run.id }} className="mono dim link">
                  {run.id}
                </Link>
              </td>
              <td className={table.fill}>
                <span className="dim clip" title={reasonOf(run)}>
                  {reasonOf(run)}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function reasonOf({ reason, marked }: Run): string | undefined {
  return marked === undefined ? (reason ?? undefined) : markedText(marked);
}

/** Space has no range. */
function isShifted(event: Event): boolean {
  return event instanceof MouseEvent && event.shiftKey;
}
