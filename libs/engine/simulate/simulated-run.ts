import {
  admit,
  advance,
  isInQuestion,
  SluiceError,
  unreachable,
  type AlertInsert,
  type Assignment,
  type AttemptResult,
  type Decision,
  type Outcome,
  type Prepared,
  type RunEvent,
  type TaskInstance,
} from '#core';
import type { RunTest, TestedTry } from '#dag';
import { alertsFor, lateAlerts, recoveredAlerts, warnedAlerts } from '../alerts.ts';
import { buildAssignment } from '../assignment.ts';
import { endedResult } from '../ended-result.ts';
import { judgeResult } from '../judge-result.ts';
import type { Ending } from '../live-attempts.ts';
import { mapItem, placeOf, rememberOutputs, type OwnedRun, type PreparedPlace } from '../owned-run.ts';
import { plainResult } from '../plain-result.ts';
import type { Pipelines } from '../ports.ts';
import { prepareTask } from '../prepare.ts';
import type { AlertDefaults } from '../route-alerts.ts';
import { gateQuestion } from '../waits/gate-question.ts';
import { waitBodyOf } from '../waits/prepare-wait.ts';
import { taskRefOf, type RunLook, type SentAlert, type TaskLook } from './run-look.ts';
import type { SimulatedData } from './simulated-data.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { TestWorld } from './test-world.ts';
import { slotsOf } from './slots-of.ts';
import { answerOfTest, endOfWait, tryOf } from './try-of.ts';

const NOBODY: AlertDefaults = { publicUrl: '', decidesInSlack: false, unavailable: () => null };
const NO_STORAGE = { isWhole: async () => false };
const NO_FILES = async () => new Map<string, string>();
/** Nothing is really executed, so no machine is short of anything. */
const NO_LIMITS = new Map<string, never>();
const MOST_STEPS = 1_000_000;

interface OpenAttempt {
  readonly id: string;
  readonly taskIndex: number;
  readonly mapIndex: number;
  readonly fence: number;
  readonly replicas: number;
}

/** Of a task run, beside its state. */
interface Told {
  reason: string | null;
  result: Pick<TaskLook, 'outputs' | 'metrics' | 'wrote'>;
  env: Readonly<Record<string, string>>;
}

const NOTHING: Told['result'] = { outputs: {}, metrics: {}, wrote: {} };

/**
 * One run by the engine's own decisions, in a world where nothing is stored and time passes when it is told to: what
 * `RunOwner` does with Postgres, an executor and the clock.
 */
export class SimulatedRun {
  readonly #attempts: string[] = [];
  readonly #alerts: SentAlert[] = [];
  readonly #told = new Map<string, Told>();
  readonly #open = new Map<string, OpenAttempt>();
  #ended: { readonly state: string; readonly reason: string | null; readonly at: number } | null = null;
  #steps = 0;

  constructor(
    private readonly run: OwnedRun,
    private readonly parts: {
      readonly test: RunTest;
      readonly pipelines: Pipelines;
      readonly data: SimulatedData;
      readonly world: TestWorld;
      readonly time: SimulatedTime;
    },
  ) {}

  async start(): Promise<void> {
    const { time, test } = this.parts;
    const { runTimeoutMs, deadlineMs } = this.run.plan.pipeline;
    const stopAfter = (ms: number, verdict: 'cancelled' | 'timed_out') =>
      time.at(time.now + ms, () => this.#apply({ kind: 'stop', verdict }));
    if (runTimeoutMs !== null) stopAfter(runTimeoutMs, 'timed_out');
    if (test.cancelAfterMs !== null) stopAfter(test.cancelAfterMs, 'cancelled');
    if (deadlineMs !== null) time.at(time.now + deadlineMs, async () => this.#tellLate());
    await this.#apply(...this.run.events.splice(0));
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  /** Tasks that wait for data look again. */
  async dataArrived(): Promise<void> {
    for (const [key, { at: _at, ...place }] of [...this.run.waiting]) {
      const result = await this.#prepare(place);
      if (result.kind === 'waiting') continue;
      this.run.waiting.delete(key);
      await this.#apply({ kind: 'prepared', ...place, result });
    }
  }

  look(): RunLook {
    const { cache, plan, record } = this.run;
    const tasks = plan.pipeline.tasks.flatMap((task, taskIndex): TaskLook[] => {
      const instances = [...(cache.tasks[taskIndex]?.instances.values() ?? [])].sort((a, b) => a.mapIndex - b.mapIndex);
      if (instances.length === 0)
        return [{ ...{ id: task.id, key: '', state: 'none', reason: null, tries: 0, env: {} }, ...NOTHING }];
      return instances.map(({ mapIndex, state, number }) => {
        const { reason, result, env } = this.#toldOf(taskIndex, mapIndex);
        return { id: task.id, key: this.#keyOf(taskIndex, mapIndex), state, reason, tries: number, env, ...result };
      });
    });
    const { state, reason, at } = this.#ended ?? { state: 'running', reason: null, at: this.parts.time.now };
    const tookMs = at - Date.parse(record.createdAt);
    return { state, reason, tookMs, tasks, attempts: [...this.#attempts], alerts: [...this.#alerts] };
  }

  async #apply(...events: RunEvent[]): Promise<void> {
    await this.#advance(...events);
    if (this.#ended === null) await this.#admitReady();
  }

  async #advance(...events: RunEvent[]): Promise<void> {
    if (this.#ended !== null) return;
    if (++this.#steps > MOST_STEPS) throw new SluiceError('internal', 'the simulated run does not end');
    const decisions = advance(this.run.cache, events, this.parts.time.now);
    const changes = decisions.filter((decision) => decision.kind === 'task-run');
    for (const { taskIndex, mapIndex, to, reason } of changes) {
      this.#toldOf(taskIndex, mapIndex).reason = reason;
      if (to === 'failed' && reason !== null) this.run.failures.set(`${taskIndex}/${mapIndex}`, reason);
    }
    this.#tell(alertsFor(this.run, changes, decisions, NOBODY));
    const prepared: RunEvent[] = [];
    for (const decision of decisions)
      if (decision.kind === 'prepare') prepared.push(await this.#answer(decision));
      else this.#follow(decision);
    // What several items of a fan-out ask at the same moment is told at once, as it is by the engine.
    if (prepared.length > 0) await this.#advance(...prepared);
  }

  async #answer(decision: Extract<Decision, { kind: 'prepare' }>): Promise<RunEvent> {
    const result = await this.#prepare(decision);
    if (result.kind === 'waiting') this.#wait(decision);
    return { ...decision, kind: 'prepared', result };
  }

  #follow(decision: Exclude<Decision, { kind: 'prepare' }>): void {
    const { time } = this.parts;
    switch (decision.kind) {
      case 'cancel-attempt': {
        const attempt = this.#open.get(decision.attemptId);
        const outcome = { kind: 'cancelled', message: 'cancelled: the run was stopped' } as const;
        if (attempt !== undefined) time.at(time.now, () => this.#end(attempt, this.#resultOf(attempt, outcome)));
        return;
      }
      case 'end-run':
        this.#ended = { state: decision.state, reason: decision.reason, at: time.now };
        if (decision.state === 'success' && this.parts.test.afterFailure) this.#tellRecovered();
        return;
      case 'task-run':
        if (decision.retryAt !== null) time.at(decision.retryAt, () => this.#apply({ kind: 'tick' }));
        return;
      default:
        unreachable(decision);
    }
  }

  #wait({ taskIndex, mapIndex }: PreparedPlace): void {
    const { time, test } = this.parts;
    const place = mapIndex === undefined ? { taskIndex } : { taskIndex, mapIndex };
    const task = this.run.plan.pipeline.tasks[taskIndex];
    const body = waitBodyOf(task);
    if (task === undefined || body === null)
      return void this.run.waiting.set(placeOf(place), { ...place, at: time.now });
    const { afterMs, end, outputs } = endOfWait(
      { taskId: task.id, mapKey: this.#keyOf(taskIndex, mapIndex ?? 0) },
      body,
      test.outcomes,
    );
    time.at(time.now + afterMs, () => {
      rememberOutputs(this.run, taskIndex, mapIndex ?? 0, outputs);
      return this.#apply({ kind: 'prepared', ...place, result: end });
    });
  }

  #prepare(place: PreparedPlace): Promise<Prepared> {
    const { data, pipelines } = this.parts;
    // Nothing is cached in a simulation, so nobody asks what a cache would need.
    const sources = { store: data.store, storageFor: () => NO_STORAGE, releaseFiles: NO_FILES };
    return prepareTask(sources, pipelines, this.run, place, this.parts.time.now);
  }

  /** Slots go by priority, then by the order of the file; no other run takes any. */
  async #admitReady(): Promise<void> {
    const { tasks } = this.run.plan.pipeline;
    const ready = this.run.cache.tasks
      .flatMap(({ instances }) => [...instances.values()].filter(({ state }) => state === 'ready'))
      .map((instance) => ({ instance, asks: [], ...slotsOf(tasks[instance.taskIndex]) }))
      .sort(
        (a, b) =>
          b.priority - a.priority ||
          a.instance.taskIndex - b.instance.taskIndex ||
          a.instance.mapIndex - b.instance.mapIndex,
      );
    const used = [...this.#open.values()].map(({ taskIndex, replicas }) => {
      const { pool, slots } = slotsOf(tasks[taskIndex]);
      return { pool, slots: slots * replicas };
    });
    const rooms = Object.entries(this.run.environment.config.pools).map(([pool, size]) => {
      const free = used.reduce((left, one) => left - (one.pool === pool ? one.slots : 0), size);
      return [pool, { free, size }] as const;
    });
    for (const { applicant, replicas } of admit(ready, new Map(rooms), NO_LIMITS))
      if (applicant.instance.state === 'ready') await this.#begin(applicant.instance, replicas);
  }

  async #begin({ taskIndex, mapIndex, number, fence }: TaskInstance, replicas: number): Promise<void> {
    const { time, world } = this.parts;
    const id = String(this.#attempts.length + 1);
    const attempt: OpenAttempt = { id, taskIndex, mapIndex, fence: fence + 1, replicas };
    const about = { taskIndex, mapIndex, attemptId: attempt.id };
    const task = this.run.plan.pipeline.tasks[taskIndex]?.id ?? '';
    this.#open.set(attempt.id, attempt);
    this.#attempts.push(`${taskRefOf({ id: task, key: this.#keyOf(taskIndex, mapIndex) })}#${number + 1}`);
    const identity = { ...about, number: number + 1, fence: fence + 1, replicas };
    await this.#advance({ kind: 'admitted', ...identity }, { kind: 'started', ...about });
    const built = buildAssignment(this.run, identity);
    if (!built.ok) {
      const refused = this.#resultOf(attempt, { kind: 'failed', exitCode: null, message: built.message });
      return time.at(time.now, () => this.#end(attempt, refused));
    }
    const { assignment } = built;
    this.#toldOf(taskIndex, mapIndex).env = assignment.env;
    const tried = tryOf(assignment, this.parts.test.outcomes);
    const result =
      tried.kind === 'real' ? await world.execute(assignment) : await this.#mock(attempt, assignment, tried);
    const takesMs = tried.kind === 'real' ? 0 : Math.min(tried.takesMs, assignment.timeoutMs ?? Infinity);
    time.at(time.now + takesMs, () => this.#end(attempt, result));
  }

  async #mock(
    attempt: OpenAttempt,
    { timeoutMs, writes }: Assignment,
    { outcome, takesMs, outputs, metrics, writes: files }: Extract<TestedTry, { kind: 'mocked' }>,
  ): Promise<AttemptResult> {
    if (timeoutMs !== null && takesMs > timeoutMs)
      return this.#resultOf(attempt, { kind: 'timed_out', message: `timed out after ${timeoutMs / 1000} s` });
    const result = this.#resultOf(attempt, outcome);
    const points = Object.entries(metrics).map(([name, value]) => ({ name, value, step: null, ts: result.finishedAt }));
    const versions = [];
    for (const output of outcome.kind === 'success' ? writes : [])
      versions.push(await this.parts.world.publish(output, { files: files[output.name] ?? {}, folder: null }));
    return { ...result, outputs, metrics: points, versions };
  }

  #resultOf(attempt: OpenAttempt, outcome: Outcome): AttemptResult {
    return endedResult(
      this.run.record.id,
      { attemptId: attempt.id, fence: attempt.fence },
      outcome,
      this.parts.time.now,
    );
  }

  async #end(attempt: OpenAttempt, said: AttemptResult): Promise<void> {
    // It was cancelled before.
    if (!this.#open.delete(attempt.id)) return;
    const { taskIndex, mapIndex, id: attemptId } = attempt;
    const { store } = this.parts.data;
    const result = plainResult(said);
    const judged = await judgeResult(store, this.run, taskIndex, mapIndex, result);
    const { outcome, gateClosed, asks, warning } = judged;
    const number = this.run.cache.tasks[taskIndex]?.instances.get(mapIndex)?.number ?? 0;
    this.#tell(warnedAlerts(this.run, { taskIndex, mapIndex, number }, judged, NOBODY));
    const ended = { kind: 'ended', taskIndex, mapIndex, attemptId, outcome, gateClosed } as const;
    if (asks !== null) return this.#ask(attempt, { result, judged }, { ...ended, asks });
    if (outcome.kind === 'success') await this.#count(attempt, { result, judged });
    await this.#apply(ended);
    if (outcome.kind === 'success' && warning !== null) this.#toldOf(taskIndex, mapIndex).reason = warning;
  }

  async #count(attempt: OpenAttempt, { result, judged }: Ending): Promise<void> {
    const { taskIndex, mapIndex } = attempt;
    rememberOutputs(this.run, taskIndex, mapIndex, result.outputs);
    await this.#publish(attempt, result);
    const counted = Object.fromEntries(judged.metrics.map(({ name, value }) => [name, value]));
    const told = this.#toldOf(taskIndex, mapIndex);
    told.result = { ...told.result, outputs: result.outputs, metrics: counted };
  }

  /** A gate asks somebody, who answers as the test says. */
  async #ask(attempt: OpenAttempt, ending: Ending, ended: Extract<RunEvent, { kind: 'ended' }>): Promise<void> {
    const { time, test } = this.parts;
    const { taskIndex, mapIndex } = attempt;
    const task = this.run.plan.pipeline.tasks[taskIndex];
    const number = this.run.cache.tasks[taskIndex]?.instances.get(mapIndex)?.number ?? 0;
    const question = gateQuestion(this.run, { taskIndex, mapIndex }, number, ending, time.now);
    if (question !== null) this.run.waits.set(`${taskIndex}/${mapIndex}`, question);
    await this.#apply(ended);
    const tried = tryOf({ taskId: task?.id ?? '', mapKey: this.#keyOf(taskIndex, mapIndex), number }, test.outcomes);
    const answer = answerOfTest(tried, task?.gate?.asks);
    if (answer === null) return;
    time.at(time.now + answer.afterMs, async () => {
      const asked = this.run.cache.tasks[taskIndex]?.instances.get(mapIndex);
      if (asked === undefined || !isInQuestion(asked)) return;
      const { state, reason } = answer;
      if (state === 'success') await this.#count(attempt, ending);
      await this.#apply({ kind: 'answered', taskIndex, mapIndex, state, reason });
    });
  }

  async #publish({ taskIndex, mapIndex }: OpenAttempt, { versions }: AttemptResult): Promise<void> {
    const { id: runId, pipeline, intervalStart, intervalEnd } = this.run.record;
    const wrote: Record<string, Readonly<Record<string, string>>> = {};
    for (const { name, location, version, manifestHash } of versions) {
      wrote[name] = await this.parts.world.contentOf(version);
      const mapKey = this.#keyOf(taskIndex, mapIndex);
      const about = { pipeline, path: name, runId, intervalStart, intervalEnd };
      this.parts.data.publish({ ...about, location, version, manifestHash, mapKey });
    }
    this.#toldOf(taskIndex, mapIndex).result = { ...NOTHING, wrote };
  }

  #tellRecovered(): void {
    const { record, plan, environment } = this.run;
    this.#tell(recoveredAlerts('the run before', record, plan.pipeline, environment, NOBODY));
  }

  #tellLate(): void {
    const { record, plan, environment } = this.run;
    if (this.#ended === null) this.#tell(lateAlerts(record, plan.pipeline, environment, NOBODY));
  }

  #tell(alerts: readonly AlertInsert[]): void {
    this.#alerts.push(...alerts.map(({ event, target, message }) => ({ on: event, to: target, title: message.title })));
  }

  #keyOf(taskIndex: number, mapIndex: number): string {
    return mapItem(this.run, taskIndex, mapIndex)?.key ?? '';
  }

  #toldOf(taskIndex: number, mapIndex: number): Told {
    const key = `${taskIndex}/${mapIndex}`;
    const told = this.#told.get(key) ?? { reason: null, result: NOTHING, env: {} };
    this.#told.set(key, told);
    return told;
  }
}
