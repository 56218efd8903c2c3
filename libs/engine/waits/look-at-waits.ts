import type { Clock, DueWait, Look, Storage, WaitAnswer, WaitKey, WaitKind, WaitTarget } from '#core';
import { afterLook, lookAtPast, unreachable } from '#core';
import { evaluate } from '#dag';
import type { HttpLook, Observer } from '../ports.ts';
import { calledLook, startCalled, type CallParts } from './start-called.ts';

export interface WaitLooksParts extends CallParts {
  readonly storageFor: (environment: string) => Pick<Storage, 'exists'>;
  readonly httpLook: HttpLook;
  readonly clock: Clock;
  readonly observer: Observer;
}

/** Each of these is looked at by itself: an address that does not answer holds up nobody else. */
const KINDS: readonly (readonly WaitKind[])[] = [
  ['dataset', 'run', 'time', 'expr', 'approve', 'past'],
  ['call'],
  ['path'],
  ['http'],
];
export const WAIT_KINDS: readonly WaitKind[] = KINDS.flat();
/** Waits looked at together. */
const BATCH = 100;
/** Looks at addresses and storage that are under way at once. */
const LANES = 25;
/** Longer than any look takes; what is not answered by then is looked at again, perhaps elsewhere. */
const LEASE_MS = 60_000;

/** Looks at every wait that is due, in batches, whichever run it belongs to; the runs themselves need not be in memory. */
export class WaitLooks {
  private readonly loops: readonly LookLoop[];

  /** `onEnded`: waits ended here; their runs may be claimed. */
  constructor(parts: WaitLooksParts, onEnded: () => void) {
    this.loops = KINDS.map((kinds) => new LookLoop(parts, kinds, onEnded));
  }

  /** At waits of these kinds, and of those that are looked at with them. */
  async look(kinds: readonly WaitKind[] = WAIT_KINDS): Promise<void> {
    await Promise.all(this.loops.filter((loop) => loop.isFor(kinds)).map((loop) => loop.look()));
  }

  stop(): void {
    for (const loop of this.loops) loop.stop();
  }
}

class LookLoop {
  private looking: Promise<void> | null = null;
  private again = false;
  private stopped = false;

  constructor(
    private readonly parts: WaitLooksParts,
    private readonly kinds: readonly WaitKind[],
    private readonly onEnded: () => void,
  ) {}

  isFor(kinds: readonly WaitKind[]): boolean {
    return this.kinds.some((kind) => kinds.includes(kind));
  }

  /** One at a time; a call while one is under way makes another follow, and resolves after it. */
  look(): Promise<void> {
    this.again = true;
    this.looking ??= this.lookAll().finally(() => (this.looking = null));
    return this.looking;
  }

  stop(): void {
    this.stopped = true;
  }

  private async lookAll(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      await this.lookOnce();
    }
  }

  private async lookOnce(): Promise<void> {
    const { store, clock, observer } = this.parts;
    try {
      const due = await store.takeDueWaits(this.kinds, clock.now().getTime(), BATCH, LEASE_MS);
      if (due.length === 0) return;
      if (due.length === BATCH) this.again = true;
      const looks = await lookAtAll(this.parts, due);
      await this.note(due, looks, clock.now().getTime());
    } catch (error) {
      observer.problem('looking at what tasks wait for', error);
    }
  }

  private async note(due: readonly DueWait[], looks: readonly Look[], now: number): Promise<void> {
    const { store } = this.parts;
    const ended: WaitAnswer[] = [];
    const open: (WaitKey & { readonly detail: string; readonly nextCheckAt: number | null })[] = [];
    for (const [index, wait] of due.entries()) {
      const { runId, taskId, mapIndex } = wait;
      const key = { runId, taskId, mapIndex };
      const step = afterLook(wait, looks[index] ?? { kind: 'not-yet', detail: 'nothing was found out' }, now);
      if (step.kind === 'ends') ended.push({ ...key, outcome: step.outcome, reason: step.reason });
      else open.push({ ...key, detail: step.detail, nextCheckAt: step.nextCheckAt });
    }
    await store.noteLooks(open, now);
    const answered = await store.answerWaits(ended);
    if (answered.length > 0) this.onEnded();
  }
}

/** In the order of `due`. What the database knows is asked in one statement for all; a look that fails is not yet. */
async function lookAtAll(parts: WaitLooksParts, due: readonly DueWait[]): Promise<Look[]> {
  const looks: Look[] = [];
  const of = <K extends WaitTarget['kind']>(kind: K) =>
    due.flatMap(({ target }, index) =>
      target.kind === kind ? [{ index, target: target as Extract<WaitTarget, { kind: K }> }] : [],
    );
  const [datasets, runs] = [of('dataset'), of('run')];
  const versions = await parts.store.publishedFor(datasets.map(({ target }) => target));
  for (const [place, { index }] of datasets.entries()) looks[index] = datasetLook(versions[place] ?? null);
  const found = await parts.store.runsFor(runs.map(({ target }) => target));
  for (const [place, { index }] of runs.entries()) looks[index] = runLook(found[place] ?? null);
  const pasts = of('past').map(({ index, target }) => ({ index, tasks: target.tasks, runId: due[index]?.runId ?? '' }));
  const before = await parts.store.pastOf(pasts.map(({ runId, tasks }) => ({ runId, tasks })));
  for (const [place, { index, tasks }] of pasts.entries()) looks[index] = lookAtPast(before[place] ?? null, tasks);
  const calls = of('call').flatMap(({ index, target: { pipeline, runId } }) =>
    runId === null ? [] : [{ index, pipeline, runId }],
  );
  const called = await parts.store.calledRuns(calls.map(({ runId }) => runId));
  for (const [place, { index, pipeline, runId }] of calls.entries())
    looks[index] = calledLook(runId, pipeline, called[place] ?? null);
  const rest = [...due.entries()].filter(([index]) => looks[index] === undefined);
  await Promise.all(
    Array.from({ length: Math.min(LANES, rest.length) }, async () => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
        const [index, wait] = next;
        looks[index] = await lookAtOne(parts, wait).catch((error: unknown): Look => {
          return { kind: 'not-yet', detail: (error as Error).message };
        });
      }
    }),
  );
  return looks;
}

function datasetLook(version: string | null): Look {
  return version === null
    ? { kind: 'not-yet', detail: 'nothing is published there yet' }
    : { kind: 'met', detail: `version ${version} is published` };
}

function runLook(run: { readonly id: string; readonly state: string } | null): Look {
  if (run === null) return { kind: 'not-yet', detail: 'there is no such run yet' };
  if (run.state === 'success') return { kind: 'met', detail: `run ${run.id} succeeded` };
  return { kind: 'not-yet', detail: `run ${run.id} is ${run.state}` };
}

async function lookAtOne(parts: WaitLooksParts, wait: DueWait): Promise<Look> {
  const { environment, target } = wait;
  const now = parts.clock.now();
  switch (target.kind) {
    case 'path':
      return (await parts.storageFor(environment).exists(target.location))
        ? { kind: 'met', detail: `${target.location} is there` }
        : { kind: 'not-yet', detail: `${target.location} is not there yet` };
    case 'time': {
      const at = Date.parse(target.at);
      if (at <= now.getTime()) return { kind: 'met', detail: `${target.at} has come` };
      return { kind: 'not-yet', detail: 'it has not come yet', at };
    }
    case 'expr':
      return exprLook(target.expr, { ...target.scope, now });
    case 'http':
      return httpLook(parts, environment, target);
    case 'approve':
      return { kind: 'not-yet', detail: 'nobody has answered' };
    case 'call':
      return startCalled(parts, wait, target, now);
    case 'dataset':
    case 'past':
    case 'run':
      return { kind: 'not-yet', detail: 'nothing was found out' };
    default:
      return unreachable(target);
  }
}

/** An expression that cannot be evaluated never can: what it sees does not change, but for the time. */
function exprLook(expr: string, scope: Readonly<Record<string, unknown>>): Look {
  const verdict = evaluate(expr, scope as unknown as Parameters<typeof evaluate>[1]);
  if (!verdict.ok) return { kind: 'never', detail: verdict.message };
  if (verdict.value === true) return { kind: 'met', detail: `\`${expr}\` is true` };
  return { kind: 'not-yet', detail: `\`${expr}\` is ${JSON.stringify(verdict.value)}` };
}

async function httpLook(
  { httpLook: ask, clock }: WaitLooksParts,
  environment: string,
  target: Extract<WaitTarget, { kind: 'http' }>,
): Promise<Look> {
  const { url, headers, bearer, status, expr } = target;
  const answer = await ask({ environment, url, headers, bearer });
  const wait = answer.retryAfterMs === null ? {} : { notBefore: clock.now().getTime() + answer.retryAfterMs };
  if (!status.includes(answer.status))
    return { kind: 'not-yet', detail: `it answered ${answer.status}; ${status.join(' or ')} is wanted`, ...wait };
  if (expr === null) return { kind: 'met', detail: `it answered ${answer.status}` };
  const look = exprLook(expr, { ...target.scope, response: { status: answer.status, body: answer.body } });
  // The next answer may have what this one lacks.
  return look.kind === 'met' ? look : { kind: 'not-yet', detail: look.detail, ...wait };
}
