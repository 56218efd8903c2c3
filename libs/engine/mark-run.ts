import type { EngineStore, Mark, MarkedState, MarkStep, RunRecord } from '#core';
import { decideMark, markedBy, markOf, SluiceError, unreachable } from '#core';
import type { Pipelines } from './ports.ts';

export interface MarkInput {
  readonly state: MarkedState;
  /** Null: the run itself. */
  readonly taskId: string | null;
  /** Null: all of the task. */
  readonly mapIndex: number | null;
  readonly reason: string;
  readonly actor: string;
}

interface MarkParts {
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly now: () => Date;
}

/**
 * Notes a mark, and asks the owner of a run that goes on to obey it. In one transaction under the run's lock: what ends at
 * that moment has ended before, and is marked, or ends as the mark says. Throws `bad_request`, `not_found`, `conflict`.
 */
export async function markRun({ store, pipelines, now }: MarkParts, run: RunRecord, input: MarkInput): Promise<void> {
  const { taskId, mapIndex, state, reason, actor } = input;
  const { id: runId, environment, pipeline } = run;
  if (mapIndex !== null && taskId === null)
    throw new SluiceError('bad_request', `Map index ${mapIndex} belongs to no task.`, { hint: 'Name the task, too.' });
  if (run.shadow)
    throw new SluiceError(
      'conflict',
      `Run ${runId} publishes nothing and nothing waits for it; a mark would do nothing.`,
    );
  if (taskId !== null) await demandTask(pipelines, run, taskId);
  const mark: Mark = { runId, taskId, mapIndex, state, reason, actor };
  const subject = taskId === null ? runId : `${runId}/${taskId}${mapIndex === null ? '' : `[${mapIndex}]`}`;
  await store.audited(
    async (tx) => {
      const step = await stepOf(tx, mark);
      if (step.kind === 'refuse') throw refusal(step.why, subject, state);
      await tx.addMarks([mark]);
      if (step.kind === 'end-queued') await tx.endQueued([runId], state, markedBy(mark));
      if (step.kind === 'ask-owner') await tx.send([{ runId, kind: 'mark', payload: { ...mark } }]);
      await tx.hastenWaits([`${environment}/${pipeline}`], now().getTime());
    },
    () => [{ actor, action: 'run.mark', environment, subject, detail: { pipeline, as: state, reason } }],
  );
}

async function demandTask(pipelines: Pipelines, run: RunRecord, taskId: string): Promise<void> {
  const pipeline = await pipelines.get(run.release, run.pipeline);
  if (pipeline === null || pipeline.tasks.some((task) => task.id === taskId)) return;
  throw new SluiceError('not_found', `Run ${run.id} of "${run.pipeline}" has no task "${taskId}".`, {
    hint: `It has: ${pipeline.tasks.map((task) => task.id).join(', ')}.`,
  });
}

async function stepOf(tx: EngineStore, { runId, taskId, mapIndex, state }: Mark): Promise<MarkStep> {
  const run = await tx.lockRun(runId);
  if (run === null) throw new SluiceError('not_found', `There is no run ${runId} any more.`);
  const marks = await tx.marksOf([runId]);
  const rows = taskId === null ? [] : await tx.loadTaskRuns([runId]);
  const named = rows.filter((row) => row.taskId === taskId && (mapIndex ?? row.mapIndex) === row.mapIndex);
  const taskRuns = named.map((row) => ({
    ...{ state: row.state, tries: row.number },
    counts: markOf(marks, row.taskId, row.mapIndex)?.state ?? row.state,
  }));
  const runCounts = markOf(marks, null)?.state ?? run.state;
  const found = { runState: run.state, taskRuns: taskId === null ? null : taskRuns, runCounts };
  return decideMark(state, found, mapIndex !== null);
}

function refusal(why: Extract<MarkStep, { kind: 'refuse' }>['why'], subject: string, state: MarkedState): SluiceError {
  switch (why) {
    case 'counts-already':
      return new SluiceError('conflict', `${subject} counts as ${state} already.`);
    case 'never-began':
      return new SluiceError('conflict', `${subject} never began, since its run ended before.`, {
        hint: 'Mark the run, or run it again.',
      });
    case 'not-yet':
      return new SluiceError('conflict', `${subject} has not begun; until then its fan-out is one thing.`, {
        hint: 'Mark the task as a whole, without a map index.',
      });
    default:
      return unreachable(why);
  }
}
