import type { AttemptResult } from './attempt.ts';
import type { PastRun } from './past.ts';
import type { RunState } from './states.ts';
import type { WaitKind, WaitLimit, WaitOutcome } from './wait.ts';

/** What is looked at, with every expression resolved that does not change: JSON, no secret value. */
export type WaitTarget =
  | { readonly kind: 'path'; readonly location: string }
  /** `covers` null: any published version does; else the partition in which that instant lies. */
  | {
      readonly kind: 'dataset';
      readonly environment: string;
      readonly pipeline: string;
      readonly path: string;
      readonly covers: string | null;
    }
  | { readonly kind: 'run'; readonly environment: string; readonly pipeline: string; readonly covers: string }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly status: readonly number[];
      readonly expr: string | null;
      readonly headers: Readonly<Record<string, string>>;
      readonly bearer: string | null;
      /** What `expr` sees besides `response`. */
      readonly scope: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'expr'; readonly expr: string; readonly scope: Readonly<Record<string, unknown>> }
  /** `result`: what the task made, which counts if somebody says so. Absent: it made nothing. */
  | { readonly kind: 'approve'; readonly groups: readonly string[]; readonly result?: ResultInQuestion }
  /** `runId` null: the run is not started yet. */
  | {
      readonly kind: 'call';
      readonly pipeline: string;
      readonly params: Readonly<Record<string, unknown>>;
      readonly runId: string | null;
    }
  /** What has to have ended well in the interval before: the task, and perhaps what follows it. */
  | { readonly kind: 'past'; readonly tasks: readonly string[] };

/** What an attempt made whose gate asks a person. Its metrics and checks are stored already. */
export interface ResultInQuestion extends Pick<AttemptResult, 'attemptId' | 'fence' | 'outputs' | 'versions'> {
  /** Of its try. */
  readonly number: number;
}

export interface WaitKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
}

/** A wait to note in the commit in which its task run becomes `waiting`. Instants are epoch milliseconds. */
export interface WaitInsert extends WaitKey, WaitLimit {
  readonly environment: string;
  readonly kind: WaitKind;
  readonly target: WaitTarget;
  /** For people: `path landing/_SUCCESS`. */
  readonly what: string;
  /** What is told of when it comes: `dev/pipeline.path` or `dev/pipeline`; null: nothing tells of it. */
  readonly subject: string | null;
  readonly since: number;
  readonly nextCheckAt: number | null;
}

export interface DueWait extends WaitKey, WaitLimit {
  readonly environment: string;
  readonly target: WaitTarget;
}

export interface WaitAnswer extends WaitKey {
  readonly outcome: WaitOutcome;
  readonly reason: string;
}

/** What a task run asks people, or has asked them. */
export interface Question {
  readonly mapIndex: number;
  /** Of its fan-out; empty: the task has none. */
  readonly mapKey: string;
  /** Who may answer: members of any of these; empty: whoever has the right. */
  readonly groups: readonly string[];
  /** Null: nobody has answered. */
  readonly outcome: WaitOutcome | null;
  readonly reason: string | null;
}

/** How a wait stands; `outcome` null: it goes on. */
export interface StoredWait extends WaitKey {
  readonly kind: WaitKind;
  readonly what: string;
  readonly target: WaitTarget;
  readonly outcome: WaitOutcome | null;
  readonly reason: string | null;
}

export interface CalledRun {
  readonly state: RunState;
  readonly reason: string | null;
}

/** What waiting asks of the database. Instants are epoch milliseconds by the engine's clock. */
export interface WaitStore {
  /** Null: the task does not wait, or the row is gone because it ended. */
  waitOf(key: WaitKey): Promise<StoredWait | null>;
  /** By map index; without those whose task run ended unanswered. */
  questionsOf(runId: string, taskId: string): Promise<readonly Question[]>;
  /** Takes waits of these kinds that are due; nobody else is given them for `leaseMs`. Those whose task no longer waits are deleted. */
  takeDueWaits(kinds: readonly WaitKind[], now: number, limit: number, leaseMs: number): Promise<readonly DueWait[]>;
  /** Notes what looks found and when the next ones are. */
  noteLooks(
    looks: readonly (WaitKey & { readonly detail: string; readonly nextCheckAt: number | null })[],
    now: number,
  ): Promise<void>;
  /** Ends waits that have not ended, and tells the owners of their runs. Answers with those that it ended. */
  answerWaits(answers: readonly WaitAnswer[]): Promise<readonly WaitKey[]>;
  /** Makes waits for these subjects due now; of which kinds there are some. */
  hastenWaits(subjects: readonly string[], now: number): Promise<readonly WaitKind[]>;
  /** By the order of `wanted`: the version that answers it, or null. */
  publishedFor(
    wanted: readonly { environment: string; pipeline: string; path: string; covers: string | null }[],
  ): Promise<readonly (string | null)[]>;
  /** By the order of `wanted`: the newest run of the pipeline whose interval covers the instant, successful ones first. */
  runsFor(
    wanted: readonly { environment: string; pipeline: string; covers: string }[],
  ): Promise<readonly ({ readonly id: string; readonly state: string } | null)[]>;
  /**
   * How deep the caller is in a chain of runs that started each other, its row locked until the transaction ends; null:
   * its task does not wait any more, or has its run. With `rivals` the live runs of that pipeline are locked as well: some
   * of them will be asked to give way.
   */
  lockCaller(
    key: WaitKey,
    rivals: { readonly environment: string; readonly pipeline: string } | null,
  ): Promise<number | null>;
  /** Notes the run that a task called. */
  noteCalled(key: WaitKey, calledId: string): Promise<void>;
  /** By the order of `wanted`: the newest run of the interval before that of `runId`; null: there is none. */
  pastOf(
    wanted: readonly { readonly runId: string; readonly tasks: readonly string[] }[],
  ): Promise<readonly (PastRun | null)[]>;
  /** By the order of `runIds`. */
  calledRuns(runIds: readonly string[]): Promise<readonly (CalledRun | null)[]>;

  /**
   * Gives up runs of this process that only wait: nobody owns them until something of them is to be done. Those of which
   * something is to be done already stay. Answers with the ids of those given up.
   */
  parkRuns(processId: string, runs: readonly { readonly id: string; readonly token: string }[]): Promise<string[]>;
  /** Lets runs be claimed again whose `run_timeout` has come, or whose wait ended unheard. Returns how many. */
  unparkDue(now: number): Promise<number>;
  /** Gives runs back that were parked, so that they are claimed again. */
  unpark(runIds: readonly string[]): Promise<void>;
}
