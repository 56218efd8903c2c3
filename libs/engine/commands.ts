import type { AuditEntry, Caller, Mark, NewRun, Question, RunRecord } from '#core';
import { SluiceError } from '#core';
import { markRun, type MarkInput } from './mark-run.ts';
import { manualInterval } from './manual-interval.ts';
import { newRun, resolvePipeline, type ResolveParts } from './new-run.ts';
import { marksToTakeOver, taskRunsToTakeOver } from './plan-rerun.ts';
import { answeredAlready, openQuestions } from './waits/check-answer.ts';

/** What people and programs may ask for. Every method throws `SluiceError`: `not_found`, `bad_request`, `conflict`. */
export class Commands {
  constructor(
    private readonly options: ResolveParts & {
      readonly now: () => Date;
      /** Tells the scheduler of this process, if there is one, that something changed. */
      readonly onChange: () => void;
    },
  ) {}

  /** Starts a run by hand. With `at` or `from` and `to` it is about that interval; otherwise about none. */
  async trigger(input: {
    pipeline: string;
    environment: string;
    params: Record<string, unknown>;
    at?: string;
    from?: string;
    to?: string;
    /** Execute every task, whatever earlier runs have. */
    noCache?: boolean;
    actor: string;
  }): Promise<string> {
    const resolved = await resolvePipeline(this.options, input.environment, input.pipeline);
    const interval = manualInterval(resolved.pipeline, input);
    return this.create(input.actor, {
      ...newRun(resolved, interval, input.params),
      trigger: 'manual',
      why: `Started by ${input.actor}${interval ? ` for the interval from ${interval.start.toISOString()} to ${interval.end.toISOString()}` : ''}.`,
      queueOrder: 0,
      noCache: input.noCache ?? false,
    });
  }

  /** Asks the owner of a run to stop it; a queued run ends at once. */
  async cancel(runId: string, actor: string): Promise<void> {
    const { environment, pipeline } = await this.run(runId);
    await this.options.store.audited(
      async (store) => {
        // What ends at this moment has ended before and is refused, or ends as cancelled.
        const run = await store.lockRun(runId);
        if (run?.state !== 'queued' && run?.state !== 'running')
          throw new SluiceError(
            'conflict',
            `Run ${runId} has ended already (${run?.state ?? 'removed'}); only queued and running runs can be cancelled.`,
          );
        const ended =
          run.state === 'queued'
            ? await store.endQueued([runId], 'cancelled', `cancelled by ${actor} before it started`)
            : 0;
        if (ended === 0) await store.send([{ runId, kind: 'cancel', payload: { actor } }]);
      },
      () => [entry(actor, 'run.cancel', environment, runId, { pipeline })],
    );
    this.options.onChange();
  }

  /** Says what a run, a task of it or one of its task runs counts as; see `markRun`. */
  async mark(runId: string, input: MarkInput): Promise<void> {
    await markRun(this.options, await this.run(runId), input);
    this.options.onChange();
  }

  /**
   * Makes a new run for the same interval and parameters. `failed` repeats what did not succeed and everything after it,
   * `from` repeats one task and everything after it; all other finished task runs are taken over by reference.
   */
  async rerun(
    runId: string,
    input: {
      mode: 'failed' | 'all' | 'from';
      task?: string;
      release: 'same' | 'current';
      noCache?: boolean;
      actor: string;
    },
  ): Promise<string> {
    const origin = await this.run(runId);
    if (origin.state === 'queued' || origin.state === 'running')
      throw new SluiceError(
        'conflict',
        `Run ${runId} is still ${origin.state}; cancel it or wait for its end before running it again.`,
      );
    if (origin.shadow)
      throw new SluiceError(
        'conflict',
        `Run ${runId} is a ${origin.trigger} run that publishes nothing, so running it again would lead nowhere.`,
        origin.originRun === null ? {} : { hint: `Run ${origin.originRun} again, which it was made from.` },
      );
    const { store } = this.options;
    const resolved = await resolvePipeline(
      this.options,
      origin.environment,
      origin.pipeline,
      input.release === 'same' ? origin.release : undefined,
    );
    const erased = new Set((await store.erasedTaskRuns(runId)).map(({ taskId }) => taskId));
    const rows = await store.loadTaskRuns([runId]);
    const marks = await store.marksOf([runId]);
    const takeOver = taskRunsToTakeOver(runId, rows, resolved.pipeline, input, { erased, marks });
    const interval =
      origin.intervalStart !== null && origin.intervalEnd !== null
        ? { start: new Date(origin.intervalStart), end: new Date(origin.intervalEnd) }
        : null;
    const what =
      input.mode === 'failed'
        ? 'what failed in'
        : input.mode === 'from'
          ? `from task "${input.task ?? ''}" on:`
          : 'all of';
    return this.create(input.actor, {
      ...newRun(resolved, interval, origin.params),
      trigger: 'rerun',
      why: `${input.actor} asked to run again ${what} run ${runId}.`,
      originRun: runId,
      queueOrder: 0,
      noCache: input.noCache ?? false,
      takeOver,
      marks: marksToTakeOver(rows, takeOver, marks),
    });
  }

  /**
   * Answers what a task asks: of one with a fan-out what one item asks, or with `mapIndex` null all that ask now. `caller`:
   * whoever has the right here; his groups are looked at when it names some. Returns what was answered.
   */
  async answer(
    runId: string,
    { taskId, mapIndex }: { readonly taskId: string; readonly mapIndex: number | null },
    answer: { readonly isApproved: boolean; readonly comment: string },
    caller: Pick<Caller, 'name' | 'groups'>,
  ): Promise<readonly Pick<Question, 'mapIndex' | 'mapKey'>[]> {
    const { store } = this.options;
    const run = await this.run(runId);
    const open = openQuestions(run, { taskId, mapIndex }, await store.questionsOf(runId, taskId), caller);
    const { name } = caller;
    const words = `${answer.isApproved ? 'approved' : 'rejected'} by ${name}${answer.comment === '' ? '' : `: ${answer.comment}`}`;
    const outcome = answer.isApproved ? ('met' as const) : ('failed' as const);
    const action = answer.isApproved ? 'task.approve' : 'task.reject';
    const detail = { task: taskId, pipeline: run.pipeline, comment: answer.comment };
    const answered = await store.audited(
      async (tx) => {
        const key = { runId, taskId, outcome, reason: words };
        const keys = await tx.answerWaits(open.map((question) => ({ ...key, mapIndex: question.mapIndex })));
        return open.filter((question) => keys.some((done) => done.mapIndex === question.mapIndex));
      },
      (done) => {
        const items = done.flatMap(({ mapKey }) => (mapKey === '' ? [] : [mapKey]));
        const what = items.length === 0 ? detail : { ...detail, items };
        return done.length === 0 ? [] : [entry(name, action, run.environment, runId, what)];
      },
    );
    if (answered.length === 0) throw answeredAlready(runId, taskId, null);
    this.options.onChange();
    return answered.map(({ mapIndex: index, mapKey }) => ({ mapIndex: index, mapKey }));
  }

  async setPaused(environment: string, pipeline: string, paused: boolean, actor: string): Promise<void> {
    await resolvePipeline(this.options, environment, pipeline);
    const action = paused ? 'pipeline.pause' : 'pipeline.unpause';
    const known = await this.options.store.audited(
      (store) => store.setPaused(environment, pipeline, paused),
      (done) => (done ? [entry(actor, action, environment, pipeline, {})] : []),
    );
    if (!known)
      throw new SluiceError(
        'not_found',
        `Pipeline "${pipeline}" has never been active in environment "${environment}".`,
        {
          hint: `Set \`schedules: active\` in environments/${environment}.yaml, or wait a second after its release.`,
        },
      );
    this.options.onChange();
  }

  private async create(actor: string, { marks = [], ...run }: NewRun & { marks?: readonly Mark[] }): Promise<string> {
    const { environment, pipeline, release, trigger, intervalStart, intervalEnd, originRun, noCache } = run;
    const asked = noCache === true ? { noCache } : {};
    const detail = { pipeline, release, intervalStart, intervalEnd, originRun, ...asked };
    const id = await this.options.store.audited(
      async (store) => {
        const [created] = await store.createRuns([run]);
        if (typeof created === 'string') await store.addMarks(marks.map((mark) => ({ ...mark, runId: created })));
        return created;
      },
      (created) =>
        typeof created === 'string'
          ? [entry(actor, trigger === 'rerun' ? 'run.rerun' : 'run.trigger', environment, created, detail)]
          : [],
    );
    if (id === null || id === undefined) throw new SluiceError('internal', `no run was created for ${run.pipeline}`);
    this.options.onChange();
    return id;
  }

  /** Null: there is none. */
  async find(runId: string): Promise<RunRecord | null> {
    return /^\d{1,18}$/.test(runId) ? this.options.store.getRun(runId) : null;
  }

  private async run(runId: string): Promise<RunRecord> {
    const run = await this.find(runId);
    if (!run)
      throw new SluiceError('not_found', `There is no run ${JSON.stringify(runId)}.`, {
        hint: 'See `sluice runs list`.',
      });
    return run;
  }
}

function entry(
  actor: string,
  action: string,
  environment: string,
  subject: string,
  detail: AuditEntry['detail'],
): AuditEntry {
  return { actor, action, environment, subject, detail };
}
