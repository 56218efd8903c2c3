import type { RunDetail, TaskRun } from '#contracts';
import { Answer, TaskWaits } from './task-waits.tsx';
import styles from './run-questions.module.css';

/** More at once nobody reads; the others come when these are answered. */
const SHOWN = 10;

/** What tasks of a run ask people now, each with its answer; of a fan-out item by item, and all of them at once. */
export function RunQuestions({ run }: { run: RunDetail }) {
  const byTask = new Map<string, TaskRun[]>();
  for (const one of run.taskRuns)
    if (one.wait?.kind === 'approve') byTask.set(one.taskId, [...(byTask.get(one.taskId) ?? []), one]);
  return [...byTask].map(([taskId, asking]) => (
    <section key={taskId} className={styles.task} aria-label={`What ${taskId} asks`} data-testid="questions">
      {asking.slice(0, SHOWN).map((one) => (
        <TaskWaits
          key={one.mapIndex}
          runId={run.id}
          environment={run.environment}
          taskRun={one}
          name={one.mapKey === '' ? taskId : `${taskId} ${one.mapKey}`}
        />
      ))}
      {asking.length > 1 && <All run={run} taskId={taskId} asking={asking} />}
    </section>
  ));
}

interface AllProps {
  readonly run: RunDetail;
  readonly taskId: string;
  readonly asking: readonly TaskRun[];
}

function All({ run, taskId, asking }: AllProps) {
  return (
    <div className={styles.all}>
      <span>
        {asking.length > SHOWN && `${asking.length - SHOWN} more items ask. `}
        All {asking.length} items of <span className="mono">{taskId}</span> at once:
      </span>
      <Answer runId={run.id} environment={run.environment} taskId={taskId} name={`all items of ${taskId}`} />
    </div>
  );
}
