import type { AlertEvent } from './pipeline.ts';
import type { InputAnswer } from './promotion-input.ts';
import type {
  GateResult,
  GivenApproval,
  PromotionKind,
  PromotionRules,
  PromotionState,
  VerificationRun,
} from './promotion.ts';
import type { AlertInsert, RunRecord } from './store-port.ts';

/*
 * What promotions ask of the database. Instants are ISO 8601 strings in UTC, ids strings. Every method is one
 * transaction, writes its audit entries in it, and may be repeated.
 */

/** What was decided when a promotion was requested; it stays. */
export interface PromotionPlan {
  readonly rules: PromotionRules;
  /** Names of who wrote the commit, as an approver might be called: whole, name, address and its part before the `@`. */
  readonly authors: readonly string[];
  /** What happens to runs on other releases at the switch. */
  readonly inFlight: 'finish' | 'cancel';
  /** Gates, by name, that somebody with the right to do so decided in advance. */
  readonly overrides: readonly { readonly gate: string; readonly reason: string; readonly actor: string }[];
  /** When it was verified in environments of another installation, as a token states. Absent: nothing is stated. */
  readonly vouched?: readonly VouchedVerification[];
}

export interface VouchedVerification {
  readonly environment: string;
  /** ISO 8601. */
  readonly at: string;
  /** Name of the token that states it. */
  readonly by: string;
}

export interface NewPromotion {
  readonly environment: string;
  readonly release: string;
  readonly kind: PromotionKind;
  readonly previous: string | null;
  readonly fallback: string | null;
  readonly pointerSeq: number;
  readonly configHash: string;
  readonly plan: PromotionPlan;
  readonly planHash: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly buildUrl: string | null;
}

export interface PromotionRecord extends NewPromotion {
  readonly id: string;
  readonly state: PromotionState;
  /** Why it stands where it stands, for people. */
  readonly detail: string | null;
  readonly requestedAt: string;
  readonly stateAt: string;
  readonly switchedAt: string | null;
  readonly finishedAt: string | null;
}

export interface GateRecord extends GateResult {
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly checkedAt: string;
}

export interface ApprovalRecord extends GivenApproval {
  readonly at: string;
}

export interface PromotionRunRecord extends VerificationRun {
  readonly environment: string;
  readonly trigger: 'smoke' | 'verification';
  readonly createdAt: string;
}

export interface HoldRecord {
  readonly id: string;
  readonly environment: string;
  readonly release: string;
  readonly reason: string;
  readonly actor: string;
  readonly at: string;
}

export interface FreezeRecord {
  readonly id: string;
  readonly environment: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly reason: string;
  readonly actor: string;
}

/** A promotion with all that is known of it. */
export interface PromotionCase {
  readonly promotion: PromotionRecord;
  readonly gates: readonly GateRecord[];
  readonly approvals: readonly ApprovalRecord[];
  readonly runs: readonly PromotionRunRecord[];
}

/** What `sluice test` came to on the files of a release. */
export interface RecordedTests {
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  /** SHA-256 of the JUnit report; the same tests with the same result have the same. */
  readonly junit: string;
  /** Of the CI build that ran them. */
  readonly buildUrl: string | null;
  readonly actor: string;
  readonly at: string;
}

/** Where an environment stands, for planning and for the switch. */
export interface EnvironmentStand {
  readonly release: string | null;
  readonly pointerSeq: number;
  /** Of the configuration that was applied last; empty: none. */
  readonly configHash: string;
}

/** Runs that are under way or wait to start. */
export interface RunsInFlight {
  readonly pipeline: string;
  readonly release: string;
  readonly runs: number;
}

/** Data of a location that a return to an earlier release would replace. */
export interface TakenBackVersion {
  readonly location: string;
  readonly version: string;
  /** What the location showed before, and will again; null: nothing. */
  readonly before: string | null;
}

/** A promotion that stands where nobody was told of yet. */
export interface UntoldPromotion {
  readonly id: string;
  /** Which of its changes was told last, and which one is now. */
  readonly told: string;
  readonly change: string;
}

/** The `input` at which a build waits until somebody decides on a promotion. */
export interface BuildInput {
  readonly buildUrl: string;
  readonly input: string;
}

export interface WaitingBuild extends BuildInput {
  readonly promotionId: string;
}

export interface PromotionStore {
  /**
   * Records a promotion as `queued`. An open one of the same plan, or the verified one that the environment stands on, with
   * the same release and kind is returned instead. Older queued ones are superseded, and one of the same release whose
   * plan is another by now; rollbacks and hotfixes also supersede the active one.
   */
  createPromotion(promotion: NewPromotion): Promise<{ readonly id: string; readonly created: boolean }>;
  /** Starts the oldest queued promotion of each environment that has no active one. */
  beginPromotions(): Promise<void>;
  /** Promotions that have not ended, oldest first. */
  openPromotions(): Promise<readonly PromotionRecord[]>;
  promotionCase(id: string): Promise<PromotionCase | null>;
  /** False when it was no longer in state `from`. */
  movePromotion(id: string, from: PromotionState, to: PromotionState, detail: string, actor: string): Promise<boolean>;
  /** What it waits for. */
  notePromotion(id: string, detail: string): Promise<void>;
  /** Replaces the results at these positions, except those that somebody overrode. */
  recordGates(
    id: string,
    gates: readonly (Omit<GateRecord, 'checkedAt'> & { readonly position: number })[],
  ): Promise<void>;
  /**
   * Points the environment at the release and begins verification, in one transaction that looks again at the pointer,
   * the configuration, rejections, holds, freezes and, by asking `isOpen`, the window. `moves: false` for environments
   * that follow something else: nothing is pointed.
   * A rollback also takes back what was published since the environment left the release.
   */
  switchPromotion(
    id: string,
    options: { readonly moves: boolean; readonly isOpen: () => boolean },
  ): Promise<'switched' | 'stale' | 'rejected' | 'held' | 'closed' | 'gone'>;
  /**
   * Ends a promotion whose verification failed: the environment returns to `to` with what that had published, and the
   * release is held. `to: null`: nothing to return to, so the environment's schedules pause.
   */
  rollBackPromotion(id: string, to: string | null, detail: string): Promise<boolean>;
  /** False when this approver has decided already, or it has switched or ended meanwhile. */
  approvePromotion(id: string, approval: GivenApproval): Promise<boolean>;
  /** Oldest first, at most 100. */
  untoldPromotions(): Promise<readonly UntoldPromotion[]>;
  /** Alerts that the outbox has got about a promotion; muted ones apart. */
  alertsOfPromotion(id: string): Promise<readonly { readonly event: AlertEvent; readonly target: string }[]>;
  /** Puts alerts into the outbox and notes that this change is told; false when it is told already or has changed again. */
  tellOfPromotion(untold: UntoldPromotion, alerts: readonly AlertInsert[]): Promise<boolean>;
  /** Promotions that ended without effect here while another installation was asked for them. */
  unwantedElsewhere(): Promise<readonly string[]>;
  /** The build waits for this promotion; it may have waited for another one before. */
  awaitInput(id: string, waiting: BuildInput): Promise<void>;
  /** What this input waits or waited for; null: nothing is known of it. */
  promotionOfInput(waiting: BuildInput): Promise<PromotionRecord | null>;
  /** Builds that wait for promotions that have been decided on, oldest first. */
  inputsToAnswer(): Promise<readonly WaitingBuild[]>;
  /** Puts the answer into the outbox; false when it is there already, or none is needed any more. */
  answerInput(waiting: WaitingBuild, answer: InputAnswer, alert: AlertInsert): Promise<boolean>;
  /** Takes those that wait, and that nobody looked at for `everyMs`, so that others leave them alone for as long. */
  takeInputsToLookAt(everyMs: number): Promise<readonly WaitingBuild[]>;
  /** Another input than this one waits for the promotion. */
  isAwaitedElsewhere(id: string, waiting: BuildInput): Promise<boolean>;
  /** Nobody has to answer it any more: it was answered there, or its build has ended. An answer that is on its way has arrived then. */
  closeInput(waiting: BuildInput, outcome: 'answered_there' | 'ended'): Promise<void>;
  overrideGate(id: string, name: string, reason: string, actor: string): Promise<boolean>;
  /** When the release was last verified in each of these environments, epoch ms. */
  verifiedIn(release: string, environments: readonly string[]): Promise<Readonly<Record<string, number>>>;
  stand(environment: string): Promise<EnvironmentStand>;
  /** Release that was verified here before `current` came, other than those on hold; null: none. */
  verifiedBefore(environment: string, current: string | null): Promise<string | null>;
  /** Release of the last promotion that was verified here, other than `except` and those on hold; null: none. */
  lastVerified(environment: string, except: string | null): Promise<string | null>;
  /** What a return to `release` would take back now, by location. */
  takenBackVersions(environment: string, release: string): Promise<readonly TakenBackVersion[]>;
  /** Shadow runs apart. */
  runsInFlight(environment: string): Promise<readonly RunsInFlight[]>;
  /** Last run of a pipeline on a release that ended with success; null: none. */
  lastSuccess(environment: string, pipeline: string, release: string): Promise<string | null>;
  /** Last run of a pipeline on a release that ended by itself, well or not; null: none. */
  newestRun(environment: string, pipeline: string, release: string): Promise<RunRecord | null>;
  /** Counted metrics of a run's task runs. */
  metricsOfTasks(
    runId: string,
  ): Promise<
    readonly { readonly taskId: string; readonly mapIndex: number; readonly name: string; readonly value: number }[]
  >;
  /** Counted metrics of a run by name. */
  metricsOfRun(runId: string): Promise<Readonly<Record<string, number>>>;
  release(
    digest: string,
  ): Promise<{ readonly author: string | null; readonly dirty: boolean; readonly alias: string } | null>;
  /** What was recorded with the release last; null: nothing. */
  recordedTests(release: string): Promise<RecordedTests | null>;
  holds(environment: string): Promise<readonly HoldRecord[]>;
  setHold(environment: string, release: string, reason: string, actor: string): Promise<void>;
  liftHold(environment: string, release: string, actor: string): Promise<boolean>;
  /** Freezes that are in force or still to come. */
  freezes(environment: string): Promise<readonly FreezeRecord[]>;
  addFreeze(freeze: Omit<FreezeRecord, 'id'>): Promise<string>;
  liftFreeze(environment: string, id: string, actor: string): Promise<boolean>;
}
