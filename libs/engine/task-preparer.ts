import type { Clock, Prepared } from '#core';
import type { Background } from './background.ts';
import type { CacheSources } from './cache/find-cached.ts';
import type { OwnedRun, PreparedPlace } from './owned-run.ts';
import { placeOf } from './owned-run.ts';
import type { Observer, Pipelines } from './ports.ts';
import { prepareTask } from './prepare.ts';
import { waitBodyOf } from './waits/prepare-wait.ts';

/** How soon a task whose data is not there is looked at again when nothing says that data came. */
const DATA_LOOK_MS = 5000;
/** How soon after a failure. */
const RETRY_MS = 1000;

export interface TaskPreparerOptions extends CacheSources {
  readonly pipelines: Pipelines;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Answers `prepare` decisions, one at a time per task, and asks again for tasks whose data is not there yet. Whether a
 * `wait` task has come to its end others find out; they say when to look.
 */
export class TaskPreparer {
  constructor(
    private readonly options: TaskPreparerOptions,
    private readonly background: Background,
    private readonly onPrepared: (run: OwnedRun, place: PreparedPlace, result: Prepared) => void,
  ) {}

  prepare(run: OwnedRun, { taskIndex, mapIndex }: PreparedPlace): void {
    const place = mapIndex === undefined ? { taskIndex } : { taskIndex, mapIndex };
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
    const { pipelines, clock, observer } = this.options;
    const isWait = waitBodyOf(run.plan.pipeline.tasks[place.taskIndex]) !== null;
    // Before it is read: an answer that comes while it is makes it due again.
    if (isWait) run.waiting.delete(key);
    try {
      const result = await prepareTask(this.options, pipelines, run, place, clock.now().getTime());
      if (isWait) return this.onPrepared(run, place, result);
      if (result.kind === 'waiting') {
        const known = run.waiting.has(key);
        run.waiting.set(key, { ...place, at: clock.now().getTime() + DATA_LOOK_MS });
        if (known) return;
      } else run.waiting.delete(key);
      this.onPrepared(run, place, result);
    } catch (error) {
      observer.problem('preparing a task', error, { runId: run.record.id, ...place });
      run.waiting.set(key, { ...place, at: clock.now().getTime() + RETRY_MS });
    }
  }
}
