import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment, Outcome } from '#core';
import type { AttemptLog, ProcessLog } from './attempt-log.ts';
import { removeTree } from './child/remove-tree.mjs';
import { Findings } from './findings.ts';
import type { FreePorts } from './free-ports.ts';
import { checkMetric, parseMessage } from './protocol.ts';
import { failed, outcomeOf, type AttemptOrder, type EndReason, type Ending, type TaskRunner } from './task-runner.ts';

export interface ReplicaTools {
  /** Where the folder that the replicas share comes to be (absolute). */
  readonly scratchFolder: () => string;
  readonly ports: FreePorts;
  /** Between TERM and KILL for those that are ended because of another one. */
  readonly graceMs: number;
  readonly now: () => number;
}

export interface ReplicaOrder extends AttemptOrder {
  readonly log: AttemptLog;
}

/** Replicas as they are at a time: where one fails, those that are left begin anew. */
interface Round {
  readonly number: number;
  readonly count: number;
  readonly port: number;
  /** What they keep here the next round finds. */
  readonly checkpoint: string;
}

/** The first word that is not a success is that of all. */
interface Word {
  readonly rank: number;
  readonly outcome: Outcome;
}

/**
 * Executes an attempt by several processes on this machine, which find each other by RANK, WORLD_SIZE, MASTER_ADDR and
 * MASTER_PORT. It has succeeded when all have. When one ends otherwise the others are ended; if it failed and enough are
 * left, these begin anew, one fewer. Resolves once none of them runs any more.
 */
export async function runReplicas(order: ReplicaOrder, runner: TaskRunner, tools: ReplicaTools): Promise<Ending> {
  const { count, min } = order.assignment.replicas ?? { count: 1, min: 1 };
  const checkpoint = await mkdtemp(join(tools.scratchFolder(), 'g'));
  try {
    for (let round = 0; ; round++) {
      const left = count - round;
      const word = await runRound(order, runner, tools, { number: round, count: left, checkpoint });
      if (word === null) return { kind: 'outcome', outcome: { kind: 'success' } };
      if (word.outcome.kind !== 'failed' || order.signal.aborted) return endingOf(word, left);
      if (left - 1 < min) return belowLeast(word, left, min, count);
      order.log.say(`${textOf(word, left)}; ${left - 1} go on with what is in $SLUICE_CHECKPOINT`);
    }
  } finally {
    await removeTree(checkpoint);
  }
}

/** Null: every one of them has succeeded. */
async function runRound(
  order: ReplicaOrder,
  runner: TaskRunner,
  { ports, graceMs, now }: ReplicaTools,
  about: Omit<Round, 'port'>,
): Promise<Word | null> {
  const port = await ports.take();
  const round = { ...about, port };
  // One for each: so many listeners on one signal would be taken for a leak.
  const controls = Array.from({ length: round.count }, () => new AbortController());
  const endAll = (reason: EndReason): void => controls.forEach((control) => control.abort(reason));
  const endFromOutside = (): void => endAll(order.signal.reason as EndReason);
  order.signal.addEventListener('abort', endFromOutside);
  if (order.signal.aborted) endFromOutside();
  let first: Word | null = null;
  const run = async (rank: number): Promise<void> => {
    const outcome = await runReplica(order, runner, now, round, rank, controls[rank]!.signal);
    if (outcome.kind === 'success' || first !== null) return;
    first = { rank, outcome };
    if (order.signal.aborted || round.count === 1) return;
    const message = textOf(first, round.count);
    order.log.say(`${message}: ending the others`);
    endAll({ outcome: { kind: 'cancelled', message }, graceMs });
  };
  await Promise.all(controls.map((_, rank) => run(rank)));
  order.signal.removeEventListener('abort', endFromOutside);
  ports.giveBack(port);
  return first;
}

/** Never rejects: the others must be waited for. */
async function runReplica(
  order: ReplicaOrder,
  runner: TaskRunner,
  now: () => number,
  round: Round,
  rank: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const own =
    rank === 0
      ? order.findings
      : new Findings({ say: (text) => log.say(text), progress: () => undefined }, order.masker, now);
  const log: ProcessLog = order.log.ofReplica(rank, ({ text, whole }) => {
    const message = parseMessage(text, whole);
    if (message !== null) own.add(message);
  });
  try {
    const ending = await runner.run({
      ...order,
      ...{ log, signal, findings: own, assignment: assignmentOf(order.assignment, round, rank) },
      started: rank === 0 && round.number === 0 ? order.started : () => undefined,
    });
    return outcomeOf(ending, own.retryAfterMs);
  } catch (error) {
    return { kind: 'failed', exitCode: null, message: error instanceof Error ? error.message : String(error) };
  } finally {
    if (rank > 0) handOver(own, rank, order.findings, log);
  }
}

/** Rank 0 speaks for all; of the others metrics are kept, under names of their own. */
function handOver(own: Findings, rank: number, all: Findings, log: ProcessLog): void {
  for (const { name, value, step, ts } of own.metrics) all.add(checkMetric(`${name}.rank${rank}`, value, step), ts);
  if (Object.keys(own.outputs).length > 0 || own.summary !== null)
    log.say('outputs and summaries are kept of rank 0 alone');
}

function assignmentOf(assignment: Assignment, { number, count, port, checkpoint }: Round, rank: number): Assignment {
  const env = {
    ...assignment.env,
    // What torch.distributed reads with env://, and what is built on it.
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    WORLD_SIZE: String(count),
    LOCAL_WORLD_SIZE: String(count),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(port),
    SLUICE_REPLICA_RANK: String(rank),
    SLUICE_REPLICAS: String(count),
    SLUICE_REPLICA_ROUND: String(number),
    SLUICE_CHECKPOINT: checkpoint,
  };
  return { ...assignment, env };
}

function belowLeast(word: Word, count: number, min: number, began: number): Ending {
  if (min === began) return endingOf(word, count);
  const exitCode = word.outcome.kind === 'failed' ? word.outcome.exitCode : null;
  return failed(
    `${textOf(word, count)}; of ${began} replicas ${count - 1} would be left, at least ${min} are needed`,
    exitCode,
  );
}

function endingOf(word: Word, count: number): Ending {
  const { outcome } = word;
  if (outcome.kind === 'success') return { kind: 'outcome', outcome };
  return { kind: 'outcome', outcome: { ...outcome, message: textOf(word, count) } };
}

function textOf({ rank, outcome }: Word, count: number): string {
  return `replica ${rank} of ${count}: ${'message' in outcome ? outcome.message : outcome.kind}`;
}
