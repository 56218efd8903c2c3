import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconClockExclamation } from '@tabler/icons-react';
import type { RunDetail } from '#contracts';
import { Marked } from '../acting/marked.tsx';
import { Outdated } from '../acting/outdated.tsx';
import { useNow } from '../parts/clock.ts';
import { CopyId } from '../parts/copy-id.tsx';
import { Fact, Facts } from '../parts/page.tsx';
import { Release } from '../parts/release.tsx';
import { isBad, isOver } from '../parts/state-look.ts';
import { readInstants } from '../parts/time-format.ts';
import { TaskCounts } from '../parts/task-counts.tsx';
import { Ago, Took } from '../parts/time.tsx';
import { RunStarts } from './run-starts.tsx';
import { RunVerified } from './run-verified.tsx';
import styles from './run-facts.module.css';

export function RunFacts({ run }: { run: RunDetail }) {
  const over = isOver(run.state);
  const now = useNow(over ? 'still' : 'ten_seconds');
  const late = run.deadlineAt !== null && !over && Date.parse(run.deadlineAt) < now;
  return (
    <>
      <p className={styles.why} data-testid="why-it-started">
        {readInstants(run.why)}
        {run.originRun !== null && !run.why.includes(run.originRun) && (
          <>
            {' '}
            Follows{' '}
            <Link to="/runs/$run" params={{ run: run.originRun }} className="link mono">
              {run.originRun}
            </Link>
            .
          </>
        )}
      </p>
      {run.reason !== null && (
        <p
          className={styles.reason}
          data-tone={run.state === 'failed' || run.state === 'timed_out' ? 'bad' : 'calm'}
          data-testid="reason"
        >
          <IconAlertTriangle size={15} aria-hidden />
          <span>{readInstants(run.reason)}</span>
          <FailedLogs run={run} />
        </p>
      )}
      <Marked mark={run.marked} />
      <Outdated tasks={run.outdated} />
      <RunStarts run={run} />
      <RunVerified run={run} />
      <Facts>
        <Fact label="Run">
          <CopyId id={run.id} />
        </Fact>
        <Fact label="Environment">{run.environment}</Fact>
        <Fact label="Release">
          <Release digest={run.release} dirty={run.dirty} />
        </Fact>
        <Fact label="Trigger">{run.trigger}</Fact>
        <Fact label="Created">
          <Ago at={run.createdAt} />
        </Fact>
        <Fact label="Waited">
          <Took from={run.createdAt} to={run.startedAt ?? run.finishedAt} />
        </Fact>
        <Fact label="Took">
          <Took from={run.startedAt} to={run.finishedAt} />
        </Fact>
        <Fact label="Tasks">
          <TaskCounts counts={countStates(run.taskRuns)} whole />
        </Fact>
        {run.deadlineAt !== null && !over && (
          <Fact label="Deadline">
            {late && <IconClockExclamation size={15} aria-label="late" style={{ color: 'var(--s-failed-fg)' }} />}
            <Ago at={run.deadlineAt} />
          </Fact>
        )}
      </Facts>
    </>
  );
}

/** Straight to where a failure tells why. */
function FailedLogs({ run }: { run: RunDetail }) {
  const failed = run.taskRuns.filter((one) => isBad(one.state) && one.originRun === null).slice(0, 3);
  return failed.map((one) => (
    <Link
      key={`${one.taskId} ${one.mapIndex}`}
      to="/runs/$run/tasks/$task"
      params={{ run: run.id, task: one.taskId }}
      search={one.mapKey === '' ? {} : { map: one.mapIndex }}
      className={styles.log}
      data-testid="failed-log"
    >
      Log of {one.taskId} {one.mapKey}
    </Link>
  ));
}

function countStates(taskRuns: RunDetail['taskRuns']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of taskRuns) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
