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
/** How long an answer waits for those that are looked for beside it, of the same run. */
const GATHER_MS = 25;

export interface TaskPreparerOptions extends PrepareSources {
  readonly pipelines: Pipelines;
  readonly clock: Clock;
  readonly observer: Observer;
}

interface Answers {
  readonly found: { readonly place: PreparedPlace; readonly event: RunEvent }[];
  readonly stopTimer: () => void;
}

function byPlace(one: PreparedPlace, other: PreparedPlace): number {
  const within = ({ mapIndex, item }: PreparedPlace): number => mapIndex ?? item ?? 0;
  return one.taskIndex - other.taskIndex || within(one) - within(other);
}

/**
 * Answers `prepare` decisions, one at a time per task, and asks again for tasks whose data is not there yet. Whether a
 * `wait` task has come to its end, or a gate's question to its answer, others find out; they say when to look. Answers that
 * are looked for at the same time come together, in the order of the file, unless one takes long: what follows is written
 * once, begins in that order, and asks people once.
 */
export class TaskPreparer {
  private readonly answers = new Map<OwnedRun, Answers>();

  constructor(
    private readonly options: TaskPreparerOptions,
    private readonly background: Background,
    private readonly onPrepared: (run: OwnedRun, events: readonly RunEvent[]) => void,
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
    this.background.add(
      this.answer(run, place, key).finally(() => {
        run.preparing.delete(key);
        if (run.preparing.size === 0) this.tell(run);
      }),
    );
  }

  /** Looks again at what is due. */
  lookAgain(runs: Iterable<OwnedRun>): void {
    const now = this.options.clock.now().getTime();
    for (const run of runs) for (const place of run.waiting.values()) if (place.at <= now) this.prepare(run, place);
  }

  private put(run: OwnedRun, place: PreparedPlace, event: RunEvent): void {
    const answers = this.answers.get(run);
    if (answers) return void answers.found.push({ place, event });
    const stopTimer = this.options.clock.schedule(GATHER_MS, () => this.tell(run));
    this.answers.set(run, { found: [{ place, event }], stopTimer });
  }

  private tell(run: OwnedRun): void {
    const answers = this.answers.get(run);
    if (!answers) return;
    this.answers.delete(run);
    answers.stopTimer();
    const inOrder = answers.found.sort((one, other) => byPlace(one.place, other.place));
    this.onPrepared(
      run,
      inOrder.map(({ event }) => event),
    );
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
        if (event !== null) this.put(run, place, event);
      }
      // Rebuilt, and some of its items are in question already: its fan-out is to be worked out all the same.
      const isRebuilt = place.mapIndex === undefined && run.cache.tasks[taskIndex]?.phase === 'preparing';
      if (asked.length > 0 && !isRebuilt) return;
      const result = await prepareTask(this.options, pipelines, run, place, clock.now().getTime());
      if (result.kind === 'waiting' && result.heard !== true) {
        run.waiting.set(key, { ...place, at: clock.now().getTime() + DATA_LOOK_MS });
        if (known) return;
      } else if (result.kind !== 'waiting' && waitBodyOf(task) === null) run.waiting.delete(key);
      this.put(run, place, { kind: 'prepared', ...place, result });
    } catch (error) {
      observer.problem('preparing a task', error, { runId: run.record.id, ...place });
      run.waiting.set(key, { ...place, at: clock.now().getTime() + RETRY_MS });
    }
  }
}
