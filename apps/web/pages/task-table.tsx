import { useState } from 'react';
import { Link } from '@tanstack/react-router';
import type { RunDetail, TaskRun } from '#contracts';
import { markedText } from '../acting/marked.tsx';
import { Progress } from '../parts/progress.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import { shownState } from '../parts/state-look.ts';
import table from '../parts/table.module.css';
import { Took } from '../parts/time.tsx';

const FIRST = 300;

export function TaskTable({ run }: { run: RunDetail }) {
  const [all, setAll] = useState(false);
  const kinds = new Map(run.tasks.map((task) => [task.id, task]));
  const shown = all ? run.taskRuns : run.taskRuns.slice(0, FIRST);
  return (
    <>
      <TaskRunTable
        runId={run.id}
        taskRuns={shown}
        about={(one) => {
          const task = kinds.get(one.taskId);
          return task === undefined ? '' : `${task.kind}${task.final ? ', finally' : ''}`;
        }}
      />
      {shown.length < run.taskRuns.length && (
        <p style={{ padding: 12, textAlign: 'center' }}>
          <button type="button" className="link" onClick={() => setAll(true)}>
            Show all {run.taskRuns.length}
          </button>
        </p>
      )}
    </>
  );
}

interface TaskRunTableProps {
  readonly runId: string;
  readonly taskRuns: readonly TaskRun[];
  readonly about?: (one: TaskRun) => string;
  readonly current?: number;
}

/** Task runs with their state, tries and times; also the table of a fan-out. */
export function TaskRunTable({ runId, taskRuns, about, current }: TaskRunTableProps) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-dense data-testid="task-runs">
        <thead>
          <tr>
            <th>State</th>
            <th>Task</th>
            {about !== undefined && <th>Kind</th>}
            <th className={table.right}>Tries</th>
            <th className={table.right}>Queued</th>
            <th className={table.right}>Took</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {taskRuns.map((one) => (
            <tr
              key={`${one.taskId} ${one.mapIndex}`}
              data-link
              aria-current={current === one.mapIndex ? 'true' : undefined}
            >
              <td className={table.tight}>
                <StateBadge state={shownState(one)} />
              </td>
              <td className={table.tight}>
                <Link
                  to="/runs/$run/tasks/$task"
                  params={{ run: runId, task: one.taskId }}
                  search={one.mapKey === '' ? {} : { map: one.mapIndex }}
                  className="link mono"
                >
                  {one.taskId}
                  {one.mapKey !== '' && <span className="dim"> {one.mapKey}</span>}
                </Link>
              </td>
              {about !== undefined && <td className={`${table.tight} dim`}>{about(one)}</td>}
              <td className={`${table.tight} ${table.right} num`}>{one.tries}</td>
              <td className={`${table.tight} ${table.right}`}>
                <Took from={one.queuedAt} to={one.startedAt ?? one.finishedAt} />
              </td>
              <td className={`${table.tight} ${table.right}`}>
                <Took from={one.startedAt} to={one.finishedAt} />
              </td>
              <td>
                {one.state === 'running' && one.progress !== null ? (
                  <span style={{ display: 'block', maxWidth: 220 }}>
                    <Progress {...one.progress} />
                  </span>
                ) : one.marked !== undefined ? (
                  <span className="dim">{markedText(one.marked)}</span>
                ) : one.originRun !== null ? (
                  <span className="dim">
                    taken over from{' '}
                    <Link to="/runs/$run" params={{ run: one.originRun }} className="link mono">
                      {one.originRun}
                    </Link>
                  </span>
                ) : typeof one.cache?.from === 'string' ? (
                  <span className="dim">
                    from{' '}
                    <Link
                      to="/runs/$run/tasks/$task"
                      params={{ run: one.cache.from, task: one.taskId }}
                      search={one.mapKey === '' ? {} : { map: one.mapIndex }}
                      className="link mono"
                    >
                      {one.cache.from}
                    </Link>
                  </span>
                ) : (
                  <span className="dim">{one.reason}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
