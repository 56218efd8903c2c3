import type { TaskRunDetail } from '#contracts';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Marked } from '../acting/marked.tsx';
import { CopyId } from '../parts/copy-id.tsx';
import { Fact, Facts } from '../parts/page.tsx';
import { Release } from '../parts/release.tsx';
import { isBad } from '../parts/state-look.ts';
import { Ago, Took } from '../parts/time.tsx';
import { Worker } from './attempts.tsx';
import { TaskWaits } from './task-waits.tsx';
import styles from './run-facts.module.css';

export function TaskFacts({
  detail,
  attempt,
}: {
  detail: TaskRunDetail;
  attempt: TaskRunDetail['attempts'][number] | undefined;
}) {
  const called = calledRun(detail);
  return (
    <>
      {messagesOf(detail, attempt).map((message) => (
        <p
          key={message}
          className={styles.reason}
          data-tone={isBad(detail.state) ? 'bad' : 'calm'}
          data-testid="reason"
        >
          <IconAlertTriangle size={15} aria-hidden />
          <span>{message}</span>
        </p>
      ))}
      <Marked mark={detail.marked} />
      <TaskWaits runId={detail.run.id} environment={detail.run.environment} taskRun={detail} />
      <Facts>
        <Fact label="Kind">{detail.task.kind}</Fact>
        <Fact label="Run">
          <CopyId id={detail.run.id} />
        </Fact>
        {called !== null && (
          <Fact label="Called run">
            <Link to="/runs/$run" params={{ run: called }} className="link mono" data-testid="called-run">
              {called}
            </Link>
          </Fact>
        )}
        <Fact label="Environment">{detail.run.environment}</Fact>
        <Fact label="Release">
          <Release digest={detail.run.release} dirty={detail.run.dirty} />
        </Fact>
        {detail.originRun !== null && (
          <Fact label="Taken over from">
            <Link to="/runs/$run" params={{ run: detail.originRun }} className="link mono">
              {detail.originRun}
            </Link>
          </Fact>
        )}
        {detail.cache !== undefined && (
          <Fact label="Cache">
            <span data-testid="cache">
              {detail.cache.from === null ? 'executed: ' : 'cached: '}
              {detail.cache.why}
              {detail.cache.from !== null && (
                <>
                  {' '}
                  <Link
                    to="/runs/$run/tasks/$task"
                    params={{ run: detail.cache.from, task: detail.taskId }}
                    search={detail.mapKey === '' ? {} : { map: detail.mapIndex }}
                    className="link mono"
                  >
                    {detail.cache.from}/{detail.taskId}
                  </Link>
                </>
              )}
            </span>
          </Fact>
        )}
        {attempt !== undefined && (
          <>
            <Fact label="Started">
              <Ago at={attempt.startedAt} />
            </Fact>
            <Fact label="Waited">
              <Took from={attempt.queuedAt} to={attempt.startedAt ?? attempt.finishedAt} />
            </Fact>
            <Fact label="Took">
              <Took from={attempt.startedAt} to={attempt.finishedAt} />
            </Fact>
            <Fact label="Worker">
              <Worker name={attempt.worker} />
            </Fact>
            {attempt.replicas !== undefined && (
              <Fact label="Replicas">
                <span className="num" data-testid="replicas">
                  {attempt.replicas}
                </span>
              </Fact>
            )}
            {attempt.exitCode !== null && (
              <Fact label="Exit code">
                <span className="mono">{attempt.exitCode}</span>
              </Fact>
            )}
          </>
        )}
      </Facts>
    </>
  );
}

/** While the task waits, the wait knows it; afterwards it is an output. */
/** Why the task run is as it is (of the newest try: who approved it, for instance), then what this try said beyond that. */
function messagesOf(
  { reason, attempts }: TaskRunDetail,
  attempt: TaskRunDetail['attempts'][number] | undefined,
): readonly string[] {
  const isNewest = attempt === undefined || attempt.number === attempts.at(-1)?.number;
  const why = isNewest ? reason : null;
  const said = attempt?.message ?? null;
  return [why, said !== null && why?.includes(said) ? null : said].filter((one) => one !== null);
}

function calledRun({ task, wait, outputs }: TaskRunDetail): string | null {
  if (task.kind !== 'call') return null;
  return wait?.calledRun ?? (typeof outputs.run_id === 'string' ? outputs.run_id : null);
}
