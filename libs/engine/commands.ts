import type { AuditEntry, Caller, CompiledPipeline, EngineStore, NewRun, RunRecord } from '#core';
import { otherInstallation, SluiceError } from '#core';
import type { Interval } from '#dag';
import { intervalsBetween, resolveParams, withOverlay } from '#dag';
import { instant, manualInterval } from './manual-interval.ts';
import type { BackfillItem } from './plan-backfill.ts';
import { planInterval } from './plan-backfill.ts';
import { taskRunsToTakeOver } from './plan-rerun.ts';
import type { AppliedEnvironment, Environments, Pipelines } from './ports.ts';
import { answeredAlready, checkAnswer } from './waits/check-answer.ts';

const MAX_BACKFILL = 10_000;
/** Added to the order of backfilled runs: scheduled and manual ones go first. */
const BACKFILL_ORDER = 1e15;

/** What people and programs may ask for. Every method throws `SluiceError`: `not_found`, `bad_request`, `conflict`. */
export class Commands {
  constructor(
    private readonly options: {
      readonly store: EngineStore;
      readonly pipelines: Pipelines;
      readonly environments: Environments;
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
    const { pipeline, environment, release } = await this.resolve(input.environment, input.pipeline);
    const interval = manualInterval(pipeline, input);
    return this.create(input.actor, {
      ...this.newRun(pipeline, environment, release, interval, input.params),
      trigger: 'manual',
      why: `Started by ${input.actor}${interval ? ` for the interval from ${interval.start.toISOString()} to ${interval.end.toISOString()}` : ''}.`,
      queueOrder: 0,
      noCache: input.noCache ?? false,
    });
  }

  /** Asks the owner of a run to stop it; a queued run ends at once. */
  async cancel(runId: string, actor: string): Promise<void> {
    const run = await this.run(runId);
    if (run.state !== 'queued' && run.state !== 'running')
      throw new SluiceError(
        'conflict',
        `Run ${runId} has ended already (${run.state}); only queued and running runs can be cancelled.`,
      );
    await this.options.store.audited(
      async (store) => {
        const ended =
          run.state === 'queued'
            ? await store.endQueued([runId], 'cancelled', `cancelled by ${actor} before it started`)
            : 0;
        if (ended === 0) await store.send([{ runId, kind: 'cancel', payload: { actor } }]);
      },
      () => [entry(actor, 'run.cancel', run.environment, runId, { pipeline: run.pipeline })],
    );
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
    const { pipeline, environment, release } = await this.resolve(
      origin.environment,
      origin.pipeline,
      input.release === 'same' ? origin.release : undefined,
    );
    const { store } = this.options;
    const erased = new Set((await store.erasedTaskRuns(runId)).map(({ taskId }) => taskId));
    const takeOver = taskRunsToTakeOver(runId, await store.loadTaskRuns([runId]), pipeline, input, erased);
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
      ...this.newRun(pipeline, environment, release, interval, origin.params),
      trigger: 'rerun',
      why: `${input.actor} asked to run again ${what} run ${runId}.`,
      originRun: runId,
      queueOrder: 0,
      noCache: input.noCache ?? false,
      takeOver,
    });
  }

  /** Answers what an `approve` task asks. `caller`: whoever has the right here; his groups are looked at when it names some. */
  async answer(
    runId: string,
    taskId: string,
    answer: { readonly isApproved: boolean; readonly comment: string },
    caller: Pick<Caller, 'name' | 'groups'>,
  ): Promise<void> {
    const run = await this.run(runId);
    const wait = await this.options.store.waitOf({ runId, taskId });
    const { name } = caller;
    checkAnswer(run, taskId, wait, caller);
    const words = `${answer.isApproved ? 'approved' : 'rejected'} by ${name}${answer.comment === '' ? '' : `: ${answer.comment}`}`;
    const outcome = answer.isApproved ? ('met' as const) : ('failed' as const);
    const action = answer.isApproved ? 'task.approve' : 'task.reject';
    const detail = { task: taskId, pipeline: run.pipeline, comment: answer.comment };
    const answered = await this.options.store.audited(
      (store) => store.answerWaits([{ runId, taskId, outcome, reason: words }]),
      (done) => (done.length > 0 ? [entry(name, action, run.environment, runId, detail)] : []),
    );
    if (answered.length === 0) throw answeredAlready(runId, taskId, null);
    this.options.onChange();
  }

  async setPaused(environment: string, pipeline: string, paused: boolean, actor: string): Promise<void> {
    await this.resolve(environment, pipeline);
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

  /** What a backfill would do, interval by interval; with `dryRun: false` it also does it. */
  async backfill(input: {
    environment: string;
    pipeline: string;
    from: string;
    to: string;
    reprocess: 'missing' | 'failed' | 'all';
    dryRun: boolean;
    actor: string;
  }): Promise<BackfillItem[]> {
    const { pipeline, environment, release } = await this.resolve(input.environment, input.pipeline);
    if (pipeline.schedule.kind === 'manual')
      throw new SluiceError(
        'bad_request',
        `Pipeline "${pipeline.name}" has no schedule, so it has no intervals to fill.`,
      );
    const from = instant('from', input.from);
    const to = instant('to', input.to);
    if (from >= to) throw new SluiceError('bad_request', `from (${input.from}) must be before to (${input.to}).`);
    const intervals = intervalsBetween(pipeline.schedule, from, from, to, MAX_BACKFILL + 1);
    if (intervals.length > MAX_BACKFILL)
      throw new SluiceError('bad_request', `The backfill has more than ${MAX_BACKFILL} intervals.`, {
        hint: 'Split it into shorter ones.',
      });
    const existing = await this.options.store.runsOfIntervals(
      input.environment,
      input.pipeline,
      from.toISOString(),
      to.toISOString(),
    );
    const { schedule } = pipeline;
    const plan = intervals.map((interval) =>
      planInterval(schedule, interval, existing, input.reprocess, this.options.now()),
    );
    if (input.dryRun) return plan;
    const created = plan.filter((item) => item.action === 'create');
    const runs = created.map((item) => ({
      ...this.newRun(pipeline, environment, release, item.interval, {}),
      trigger: 'backfill' as const,
      why: `Backfill by ${input.actor}: ${item.reason}.`,
      queueOrder: BACKFILL_ORDER + item.interval.start.getTime(),
    }));
    const ids = await this.options.store.audited(
      (store) => store.createRuns(runs),
      (made) => {
        const detail = { from: input.from, to: input.to, reprocess: input.reprocess, release, runs: made };
        return [entry(input.actor, 'pipeline.backfill', input.environment, input.pipeline, detail)];
      },
    );
    this.options.onChange();
    return plan.map((item) =>
      item.action === 'create' ? { ...item, runId: ids[created.indexOf(item)] ?? null } : item,
    );
  }

  private async create(actor: string, run: NewRun): Promise<string> {
    const { environment, pipeline, release, trigger, intervalStart, intervalEnd, originRun, noCache } = run;
    const asked = noCache === true ? { noCache } : {};
    const detail = { pipeline, release, intervalStart, intervalEnd, originRun, ...asked };
    const id = await this.options.store.audited(
      async (store) => (await store.createRuns([run]))[0],
      (created) =>
        typeof created === 'string'
          ? [entry(actor, trigger === 'rerun' ? 'run.rerun' : 'run.trigger', environment, created, detail)]
          : [],
    );
    if (id === null || id === undefined) throw new SluiceError('internal', `no run was created for ${run.pipeline}`);
    this.options.onChange();
    return id;
  }

  private async run(runId: string): Promise<RunRecord> {
    const run = /^\d{1,18}$/.test(runId) ? await this.options.store.getRun(runId) : null;
    if (!run)
      throw new SluiceError('not_found', `There is no run ${JSON.stringify(runId)}.`, {
        hint: 'See `sluice runs list`.',
      });
    return run;
  }

  private async resolve(
    name: string,
    pipelineName: string,
    release?: string,
  ): Promise<{ pipeline: CompiledPipeline; environment: AppliedEnvironment; release: string }> {
    const environment = this.options.environments.get(name);
    if (!environment) {
      const known = this.options.environments.all().map((item) => item.config.name);
      throw new SluiceError('not_found', `There is no environment "${name}".`, { hint: `Known: ${known.join(', ')}.` });
    }
    const elsewhere = otherInstallation(environment.config.promotion);
    if (elsewhere !== null)
      throw new SluiceError('conflict', `${name} is an environment of ${elsewhere.url}; nothing runs in it here.`, {
        hint: `Ask there: SLUICE_URL=${elsewhere.url} sluice …`,
      });
    const digest = release ?? (await this.options.store.currentRelease(name))?.release;
    const pipeline = digest === undefined ? null : await this.options.pipelines.get(digest, pipelineName);
    if (digest === undefined || !pipeline) {
      const known = digest === undefined ? [] : (await this.options.pipelines.all(digest)).map((item) => item.name);
      throw new SluiceError('not_found', `Environment "${name}" has no pipeline "${pipelineName}".`, {
        hint: known.length > 0 ? `It has: ${known.slice(0, 20).join(', ')}.` : 'It has no release yet.',
      });
    }
    return { pipeline: withOverlay(pipeline, name), environment, release: digest };
  }

  private newRun(
    pipeline: CompiledPipeline,
    environment: AppliedEnvironment,
    release: string,
    interval: Interval | null,
    given: Readonly<Record<string, unknown>>,
  ): Omit<NewRun, 'trigger' | 'why' | 'queueOrder'> {
    const params = resolveParams(pipeline, environment.config, given);
    if (!params.ok)
      throw new SluiceError(
        'bad_request',
        `The parameters of "${pipeline.name}" are not valid: ${params.problems.join('; ')}`,
      );
    return {
      environment: environment.config.name,
      pipeline: pipeline.name,
      release,
      configHash: environment.hash,
      triggerKey: null,
      shadow: false,
      promotionId: null,
      intervalStart: interval?.start.toISOString() ?? null,
      intervalEnd: interval?.end.toISOString() ?? null,
      params: params.params,
      originRun: null,
      state: 'queued',
      reason: null,
      maxActiveRuns: pipeline.maxActiveRuns,
      deadlineMs: pipeline.deadlineMs,
      runTimeoutMs: pipeline.runTimeoutMs,
      takeOver: [],
    };
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
