import type {
  Assignment,
  AttemptReport,
  AttemptResult,
  CheckResult,
  LogStore,
  Outcome,
  PublishedVersion,
  Staged,
  Storage,
} from '#core';
import { AttemptLog } from './attempt-log.ts';
import { Findings } from './findings.ts';
import { createMasker, cutMasked, type Masker } from './masker.ts';
import { parseMessage } from './protocol.ts';
import type { ReleaseFolders } from './release-folders.ts';
import { runReplicas, type ReplicaOrder, type ReplicaTools } from './run-replicas.ts';
import { outcomeOf, type AttemptOrder, type EndReason, type Ending, type TaskRunner } from './task-runner.ts';

/** Shorter attempts without outputs are cheaper to run again than to write evidence about. */
const EVIDENCE_MS = 1_000;
const PROGRESS_MS = 100;
const MAX_LABEL_CHARS = 200;

export interface AttemptTools extends ReplicaTools {
  readonly storageFor: (environment: string) => Storage;
  readonly logsFor: (environment: string) => LogStore;
  readonly releases: ReleaseFolders;
  readonly readSecret: (source: { readonly env: string } | { readonly file: string }) => Promise<string>;
  readonly runnerFor: (assignment: Assignment) => TaskRunner;
  /** Looks at the rows that an attempt wrote. */
  readonly checkTables: (order: AttemptOrder) => Promise<Ending>;
  readonly report: (report: AttemptReport) => void;
  readonly worker: string;
}

/** What the steps below fill in, one after the other. */
interface Attempt {
  readonly assignment: Assignment;
  readonly tools: AttemptTools;
  readonly signal: AbortSignal;
  readonly startedAt: number;
  readonly secrets: Readonly<Record<string, string>>;
  readonly masker: Masker;
  readonly log: AttemptLog;
  readonly findings: Findings;
  staged: Staged | null;
  versions: readonly PublishedVersion[];
  outcome: Outcome;
  logLines: number;
}

/** Runs one attempt from its folders to its evidence. Never rejects: whatever goes wrong is the outcome. */
export async function runAttempt(
  assignment: Assignment,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const attempt = await begin(assignment, tools, signal);
  if (attempt.outcome.kind === 'success') await guard(attempt, stage);
  if (attempt.outcome.kind === 'success') await guard(attempt, perform);
  if (attempt.outcome.kind === 'success') await guard(attempt, publish);
  if (attempt.staged !== null) await discard(attempt, attempt.staged);
  await closeLog(attempt);
  const result = resultOf(attempt);
  await writeEvidence(attempt, result);
  return result;
}

/** Secrets come first: the log must be able to mask from its first line on. */
async function begin(assignment: Assignment, tools: AttemptTools, signal: AbortSignal): Promise<Attempt> {
  const { secrets, failure } = await readSecrets(assignment, tools);
  const masker = createMasker(secrets);
  const say = (text: string): void => log.say(text);
  let nextProgressAt = 0;
  const progress = (done: number, total: number, label: string): void => {
    // A hint for screens: a loop that reports each row must not flood the engine.
    if (tools.now() < nextProgressAt && done < total) return;
    nextProgressAt = tools.now() + PROGRESS_MS;
    tools.report({
      kind: 'progress',
      ...idsOf(assignment),
      done,
      total,
      label: cutMasked(masker, label, MAX_LABEL_CHARS),
    });
  };
  const findings = new Findings({ say, progress }, masker, tools.now);
  const log = new AttemptLog({
    open: () => tools.logsFor(assignment.environment).open({ ...taskOf(assignment), number: assignment.number }),
    limits: assignment.logs,
    masker,
    now: tools.now,
    onMessage: ({ text, whole }) => {
      const message = parseMessage(text, whole);
      if (message !== null) findings.add(message);
    },
  });
  for (const name of masker.tooShort) say(`secret ${name} is shorter than 4 characters: it is not masked in this log`);
  if (failure !== null) say(failure);
  return {
    assignment,
    tools,
    signal,
    startedAt: tools.now(),
    secrets,
    masker,
    log,
    findings,
    staged: null,
    versions: [],
    outcome: failure === null ? { kind: 'success' } : { kind: 'failed', exitCode: null, message: failure },
    logLines: 0,
  };
}

async function readSecrets(
  assignment: Assignment,
  tools: AttemptTools,
): Promise<{ secrets: Record<string, string>; failure: string | null }> {
  const names = Object.keys(assignment.secrets);
  if (names.length === 0) return { secrets: {}, failure: null };
  const read = await Promise.allSettled(names.map((name) => tools.readSecret(assignment.secrets[name]!)));
  const missing = names.filter((_, index) => read[index]!.status === 'rejected');
  const values = read.map((item) => (item.status === 'fulfilled' ? item.value : ''));
  const reasons = read.flatMap((item) => (item.status === 'rejected' ? [messageOf(item.reason)] : []));
  return {
    secrets: Object.fromEntries(names.map((name, index) => [name, values[index]!])),
    failure: missing.length === 0 ? null : `secret ${missing.join(', ')} could not be read: ${reasons.join('; ')}`,
  };
}

/** A step that throws fails the attempt, with the reason in its log. */
async function guard(attempt: Attempt, step: (attempt: Attempt) => Promise<void>): Promise<void> {
  try {
    await step(attempt);
  } catch (error) {
    fail(attempt, messageOf(error));
  }
}

async function stage(attempt: Attempt): Promise<void> {
  const { assignment, tools } = attempt;
  if (assignment.reads.length === 0 && assignment.writes.length === 0) return;
  const { attemptId, runId, reads, writes, io, fence } = assignment;
  const request = { attemptId, runId, reads, writes, elsewhere: tools.storageFor };
  const uris = io === 'uri' ? { uris: { fence } } : {};
  attempt.staged = await tools.storageFor(assignment.environment).stage({ ...request, ...uris });
}

async function perform(attempt: Attempt): Promise<void> {
  const { assignment, tools, signal, findings } = attempt;
  const release = await tools.releases.open(assignment.release);
  const reason = (): EndReason | null => (signal.aborted ? (signal.reason as EndReason) : null);
  const started = (pid: number | null): void =>
    tools.report({
      kind: 'started',
      ...idsOf(assignment),
      fence: assignment.fence,
      at: tools.now(),
      pid,
      worker: tools.worker,
    });
  const early = reason();
  if (early !== null) {
    attempt.outcome = early.outcome;
    attempt.log.say(`${early.outcome.message}; it had not started yet`);
    return;
  }
  const sayWhy = (): void => attempt.log.say(`${reason()!.outcome.message}: ending its processes`);
  signal.addEventListener('abort', sayWhy);
  const order: ReplicaOrder = {
    assignment,
    release,
    folders: attempt.staged?.folders ?? {},
    secrets: attempt.secrets,
    masker: attempt.masker,
    log: attempt.log,
    findings,
    signal,
    keep: (name, content) =>
      tools
        .storageFor(assignment.environment)
        .writeArtefact({ ...taskOf(assignment), number: assignment.number, name }, content),
    started,
  };
  const runner = tools.runnerFor(assignment);
  const ending = await (assignment.replicas === undefined ? runner.run(order) : runReplicas(order, runner, tools));
  const done = reason()?.outcome ?? outcomeOf(ending, findings.retryAfterMs);
  const isToBeChecked = done.kind === 'success' && findings.failure === null && assignment.tables !== undefined;
  const checked = isToBeChecked ? outcomeOf(await tools.checkTables(order), null) : done;
  signal.removeEventListener('abort', sayWhy);
  attempt.log.endOfOutput();
  settle(attempt, reason()?.outcome ?? checked);
}

function settle(attempt: Attempt, outcome: Outcome): void {
  const { findings, log } = attempt;
  attempt.outcome = outcome;
  if (outcome.kind !== 'success') log.say(outcome.message);
  else if (findings.failure !== null) fail(attempt, findings.failure);
  else if (findings.retryAfterMs !== null)
    log.say('::retry-after:: is ignored after exit code 0; exit with 75 to be tried again');
}

async function publish(attempt: Attempt): Promise<void> {
  const { assignment, staged } = attempt;
  if (staged === null || staged.writes.length === 0) return;
  const { release, pipeline, runId, taskId, mapIndex, number, fence } = assignment;
  const about = { release, pipeline, runId, taskId, mapIndex, attempt: number, fence };
  attempt.versions = await attempt.tools.storageFor(assignment.environment).seal(staged, about);
}

async function discard(attempt: Attempt, staged: Staged): Promise<void> {
  await attempt.tools.storageFor(attempt.assignment.environment).discard(staged);
}

async function closeLog(attempt: Attempt): Promise<void> {
  try {
    attempt.logLines = await attempt.log.close();
  } catch (error) {
    // A full disk, most likely. A success nobody can look into is not one; what was sealed is never pointed to.
    attempt.versions = [];
    attempt.outcome = { kind: 'failed', exitCode: null, message: `the log could not be written: ${messageOf(error)}` };
  }
}

function resultOf(attempt: Attempt): AttemptResult {
  const { assignment, findings, masker, outcome } = attempt;
  return {
    attemptId: assignment.attemptId,
    runId: assignment.runId,
    fence: assignment.fence,
    outcome: outcome.kind === 'success' ? outcome : { ...outcome, message: masker.mask(outcome.message) },
    startedAt: attempt.startedAt,
    finishedAt: attempt.tools.now(),
    outputs: masker.maskValue(findings.outputs) as Record<string, unknown>,
    metrics: findings.metrics,
    summary: findings.summary === null ? null : masker.mask(findings.summary),
    versions: attempt.versions,
    logLines: attempt.logLines,
    ...(findings.checks.length > 0 ? { checks: masker.maskValue(findings.checks) as CheckResult[] } : {}),
  };
}

async function writeEvidence(attempt: Attempt, result: AttemptResult): Promise<void> {
  const { assignment, tools } = attempt;
  const worthIt = assignment.writes.length > 0 || result.finishedAt - result.startedAt >= EVIDENCE_MS;
  if (!worthIt || result.outcome.kind === 'lost') return;
  try {
    await tools
      .storageFor(assignment.environment)
      .writeEvidence({ ...taskOf(assignment), fence: assignment.fence }, result);
  } catch {
    // Evidence matters only when the report is lost too; then the attempt is run again, which is always allowed.
  }
}

function fail(attempt: Attempt, message: string): void {
  attempt.outcome = { kind: 'failed', exitCode: null, message };
  attempt.log.say(message);
}

function taskOf({ runId, taskId, mapIndex }: Assignment): { runId: string; taskId: string; mapIndex: number } {
  return { runId, taskId, mapIndex };
}

function idsOf({ attemptId, runId }: Assignment): { attemptId: string; runId: string } {
  return { attemptId, runId };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
