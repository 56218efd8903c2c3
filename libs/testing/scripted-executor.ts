import type { Assignment, AttemptReport, AttemptResult, Executor, Outcome, Resources } from '#core';

export type Said = Partial<Pick<AttemptResult, 'outputs' | 'metrics' | 'versions' | 'summary' | 'checks'>>;

export const SUCCESS: Outcome = { kind: 'success' };
export const FAILURE: Outcome = { kind: 'failed', exitCode: 3, message: 'exit code 3' };

/** An executor that executes nothing: each attempt lives until the test says how it ended. */
export class ScriptedExecutor implements Executor {
  readonly outlivesProcess = false;
  /** Every assignment that was accepted, in order; repeated ones once. */
  readonly accepted: Assignment[] = [];
  /** `task: reason`, for every attempt that was cancelled. */
  readonly cancelled: string[] = [];
  readonly live = new Map<string, Assignment>();
  /** What happens to attempts that are dispatched, before the executor knows of them; for crashes. */
  beforeDispatch: (assignments: readonly Assignment[]) => void = () => undefined;
  /** True: it says that more waits than runs. */
  hasBacklog = false;
  /** True: reports reach nobody. */
  isCutOff = false;
  private listener: (report: AttemptReport) => void = () => undefined;

  constructor(
    private readonly now: () => number,
    readonly resources: Resources = {},
  ) {}

  onReport(listener: (report: AttemptReport) => void): void {
    this.listener = listener;
  }

  dispatch(assignments: readonly Assignment[]): void {
    this.beforeDispatch(assignments);
    for (const assignment of assignments) {
      if (this.accepted.some(({ attemptId }) => attemptId === assignment.attemptId)) continue;
      this.accepted.push(assignment);
      this.live.set(assignment.attemptId, assignment);
    }
  }

  isBacklogged(): boolean {
    return this.hasBacklog;
  }

  cancel(attemptId: string, reason: string): void {
    const assignment = this.live.get(attemptId);
    if (!assignment) return;
    this.cancelled.push(`${nameOf(assignment)}: ${reason}`);
    this.report(this.result(assignment, { kind: 'cancelled', message: `cancelled: ${reason}` }));
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  names(): string[] {
    return [...this.live.values()].map(nameOf);
  }

  /** The live attempt of a task run: `train`, `train[lr=0.1]`, `other-pipeline/train`. */
  find(name: string): Assignment {
    const found = [...this.live.values()].find(
      (assignment) => nameOf(assignment) === name || `${assignment.pipeline}/${nameOf(assignment)}` === name,
    );
    if (!found) throw new Error(`no live attempt of ${name}; there are: ${this.names().join(', ') || 'none'}`);
    return found;
  }

  begin(name: string): void {
    const { attemptId, runId, fence } = this.find(name);
    if (!this.isCutOff)
      this.listener({ kind: 'started', attemptId, runId, fence, at: this.now(), pid: 77, worker: 'scripted' });
  }

  end(name: string, outcome: Outcome = SUCCESS, said: Said = {}): AttemptResult {
    return this.endAttempt(this.find(name), outcome, said);
  }

  endAttempt(assignment: Assignment, outcome: Outcome = SUCCESS, said: Said = {}): AttemptResult {
    const result = this.result(assignment, outcome, said);
    this.report(result);
    return result;
  }

  /** Tells the listener that an attempt ended; a test may repeat what was said before. */
  report(result: AttemptResult): void {
    this.live.delete(result.attemptId);
    if (!this.isCutOff) this.listener({ kind: 'finished', result });
  }

  private result({ attemptId, runId, fence }: Assignment, outcome: Outcome, said: Said = {}): AttemptResult {
    const at = this.now();
    const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 };
    return { attemptId, runId, fence, outcome, startedAt: at, finishedAt: at, ...nothing, ...said };
  }
}

function nameOf({ taskId, mapKey }: Assignment): string {
  return mapKey === '' ? taskId : `${taskId}[${mapKey}]`;
}
