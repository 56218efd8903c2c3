import { Button, CloseButton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFileText, IconListDetails } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Marked } from '../acting/marked.tsx';
import { runQuery } from '../queries.ts';
import { Release } from '../parts/release.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import { Ago, Took } from '../parts/time.tsx';
import { formatInstant } from '../parts/time-format.ts';
import { cellState, markAt, type GridData } from './decode-grid.ts';
import type { Place } from './grid-shape.ts';
import styles from './grid.module.css';

/** What is selected, without leaving the grid. Moving fast over cells reads nothing until the movement rests. */
export function GridPanel({ grid, place, onClose }: { grid: GridData; place: Place; onClose: () => void }) {
  const run = grid.runs[place.run];
  const task = grid.tasks[place.task];
  const [rested] = useDebouncedValue(run?.id ?? '', 200);
  const detail = useQuery({ ...runQuery(rested), enabled: rested !== '' }).data;
  if (run === undefined) return null;
  const known = detail?.id === run.id ? detail : undefined;
  const taskRuns = known?.taskRuns.filter((one) => one.taskId === task?.id) ?? [];
  const one = taskRuns.length === 1 ? taskRuns[0] : undefined;
  const reason = task === undefined ? known?.reason : taskRuns.find((each) => each.reason !== null)?.reason;
  return (
    <aside className={styles.panel} aria-label="Selection" data-testid="grid-panel">
      <div className={styles.panelHead}>
        <h2 className={task === undefined ? undefined : 'mono'}>{task?.id ?? 'Run'}</h2>
        <StateBadge state={task === undefined ? run.state : cellState(grid, place.run, place.task)} />
        <CloseButton size="sm" ml="auto" aria-label="Close" onClick={onClose} />
      </div>
      <dl className={styles.facts}>
        <dt>Interval</dt>
        <dd className="num">{run.intervalStart === null ? 'none' : formatInstant(run.intervalStart)}</dd>
        <dt>Run</dt>
        <dd className="mono">{run.id}</dd>
        <dt>Release</dt>
        <dd>
          <Release digest={run.release} />
        </dd>
        <dt>Trigger</dt>
        <dd>{run.trigger}</dd>
        <dt>Created</dt>
        <dd>
          <Ago at={run.createdAt} />
        </dd>
        <dt>{task === undefined ? 'Took' : 'Run took'}</dt>
        <dd>
          <Took from={run.startedAt} to={run.finishedAt} />
        </dd>
        {one !== undefined && (
          <>
            <dt>Task took</dt>
            <dd>
              <Took from={one.startedAt} to={one.finishedAt} />
            </dd>
            <dt>Tries</dt>
            <dd className="num">{one.tries}</dd>
          </>
        )}
        {taskRuns.length > 1 && (
          <>
            <dt>Fan-out</dt>
            <dd className="num">{taskRuns.length} task runs</dd>
          </>
        )}
      </dl>
      <Marked mark={markAt(grid, place.run, place.task) ?? undefined} />
      {reason != null && <p className={styles.reason}>{reason}</p>}
      <div className={styles.buttons}>
        {task !== undefined && (
          <Button
            leftSection={<IconFileText size={15} />}
            renderRoot={(props) => (
              <Link to="/runs/$run/tasks/$task" params={{ run: run.id, task: task.id }} {...props} />
            )}
          >
            Log
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<IconListDetails size={15} />}
          renderRoot={(props) => <Link to="/runs/$run" params={{ run: run.id }} {...props} />}
        >
          Run
        </Button>
      </div>
    </aside>
  );
}
