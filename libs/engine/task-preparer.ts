import type { Clock, RunEvent } from '#core';
import type { Background } from './background.ts';
import type { OwnedRun, PreparedPlace } from './owned-run.ts';
import { placeOf } from './owned-run.ts';
import type { Observer, Pipelines } from './ports.ts';
import { prepareTask, type PrepareSources } from './prepare.ts';
import { answerOfGate, inQuestion } from './waits/gate-question.ts';
import { waitBodyOf } from './waits/prepare-wait.ts';

/** How soon a task whose data is not there is looked at again when nothing says that data came. */
const DATA_LOOK_MS = 5000;
/** How soon after a failure. */
const RETRY_MS = 1000;

export interface TaskPreparerOptions extends PrepareSources {
  readonly pipelines: Pipelines;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Answers `prepare` decisions, one at a time per task, and asks again for tasks whose data is not there yet. Whether a
 * `wait` task has come to its end, or a gate's question to its answer, others find out; they say when to look.
 */
export class TaskPreparer {
  constructor(
    private readonly options: TaskPreparerOptions,
    private readonly background: Background,
    private readonly onPrepared: (run: OwnedRun, event: RunEvent) => void,
  ) {}

  prepare(run: OwnedRun, { taskIndex, mapIndex, item }: PreparedPlace): void {
    const place = {
      taskIndex,
      ...(mapIndex === undefined ? {} : { mapIndex }),
      ...(item === undefined ? {} : { item }),
    };
    const key = placeOf(place);
    if (run.preparing.has(key)) return;
    run.preparing.add(key);
    this.background.add(this.answer(run, place, key).finally(() => run.preparing.delete(key)));
  }

  /** Looks again at what is due. */
  lookAgain(runs: Iterable<OwnedRun>): void {
    const now = this.options.clock.now().getTime();
    for (const run of runs) for (const place of run.waiting.values()) if (place.at <= now) this.prepare(run, place);
  }

  private async answer(run: OwnedRun, place: PreparedPlace, key: string): Promise<void> {
    const { store, pipelines, clock, observer } = this.options;
    const { taskIndex } = place;
    const asked = inQuestion(run, place);
    const task = run.plan.pipeline.tasks[taskIndex];
    const known = (run.waiting.get(key)?.at ?? 0) > 0;
    // Before it is read: an answer that comes while it is makes it due again.
    if (waitBodyOf(task) !== null || task?.past !== undefined || asked.length > 0) run.waiting.delete(key);
    try {
      for (const mapIndex of asked) {
        const event = await answerOfGate(store, run, taskIndex, mapIndex);
        if (event !== null) this.onPrepared(run, event);
      }
      // Rebuilt, and some of its items are in question already: its fan-out is to be worked out all the same.
      const isRebuilt = place.mapIndex === undefined && run.cache.tasks[taskIndex]?.phase === 'preparing';
      if (asked.length > 0 && !isRebuilt) return;
      const result = await prepareTask(this.options, pipelines, run, place, clock.now().getTime());
      if (result.kind === 'waiting' && result.heard !== true) {
        run.waiting.set(key, { ...place, at: clock.now().getTime() + DATA_LOOK_MS });
        if (known) return;
      } else if (result.kind !== 'waiting' && waitBodyOf(task) === null) run.waiting.delete(key);
      this.onPrepared(run, { kind: 'prepared', ...place, result });
    } catch (error) {
      observer.problem('preparing a task', error, { runId: run.record.id, ...place });
      run.waiting.set(key, { ...place, at: clock.now().getTime() + RETRY_MS });
    }
  }
}
