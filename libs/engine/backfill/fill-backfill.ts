import type { BackfillRecord, EngineStore, NewRun, PendingInterval, SettledInterval } from '#core';
import { SluiceError } from '#core';
import { newRun, resolvePipeline, type ResolvedPipeline, type ResolveParts } from '../new-run.ts';
import { planInterval, type BackfillFacts } from './plan-interval.ts';

/** Added to the order of backfilled runs: scheduled and manual ones go first. */
const BACKFILL_ORDER = 1e15;

/** Fills every running backfill; returns how many runs that made, and whether any backfill goes on. */
export async function fillBackfills(parts: ResolveParts, now: Date): Promise<{ created: number; goOn: boolean }> {
  const ids = await parts.store.runningBackfills();
  let created = 0;
  for (const id of ids)
    // One transaction each: a kill between them leaves none half filled.
    created += await parts.store.audited(
      (store) => fillBackfill({ ...parts, store }, id, now),
      () => [],
    );
  return { created, goOn: ids.length > 0 };
}

/**
 * Settles the next intervals of a backfill, until as many of its runs are live as it may have. What an interval needs is
 * decided anew when its turn comes: meanwhile a run may have been made. For use inside a transaction, which holds the
 * backfill, so that however many processes fill it nothing is doubled.
 */
export async function fillBackfill(parts: ResolveParts, id: string, now: Date): Promise<number> {
  const { store } = parts;
  const backfill = await store.lockBackfill(id);
  if (backfill === null) return 0;
  let created = 0;
  let free = backfill.maxActive - backfill.live;
  while (free > 0) {
    const pending = await store.pendingIntervals(id, free);
    if (pending.length === 0) break;
    const made = await settle(parts, backfill, pending, now);
    if (made === null) return created;
    created += made;
    free -= made;
  }
  if (backfill.live === 0 && created === 0 && free > 0) await store.moveBackfill(id, ['running'], 'done', null);
  return created;
}

/** How many runs were made; null when the backfill cannot go on and was paused. */
async function settle(
  parts: ResolveParts,
  backfill: BackfillRecord,
  pending: readonly PendingInterval[],
  now: Date,
): Promise<number | null> {
  const { store } = parts;
  let runs: (NewRun | null)[];
  let reasons: string[];
  try {
    const { environment, pipeline, release } = backfill;
    const resolved = await resolvePipeline(parts, environment, pipeline, release ?? undefined);
    const intervals = pending.map(({ start, end }) => ({ start: new Date(start), end: new Date(end) }));
    const facts = await readFacts(store, backfill, resolved, intervals, now);
    const items = intervals.map((interval) => planInterval(interval, facts));
    runs = items.map((item) => (item.action === 'create' ? runOf(backfill, resolved, item) : null));
    reasons = items.map(({ reason }) => reason);
  } catch (error) {
    // Its pipeline is gone, or its parameters do not hold any more: a person has to look.
    if (!(error instanceof SluiceError)) throw error;
    await store.moveBackfill(backfill.id, ['running'], 'paused', error.message);
    return null;
  }
  const ids = await store.createRuns(runs.filter((run) => run !== null));
  let next = 0;
  const settled = pending.map(({ position }, index): SettledInterval => {
    const runId = runs[index] ? (ids[next++] ?? null) : null;
    return { position, state: runs[index] ? 'created' : 'left_out', reason: reasons[index] ?? '', runId };
  });
  await store.settleIntervals(backfill.id, settled);
  return ids.length;
}

/** What `planInterval` wants to know about intervals that lie in a row, at least one. */
export async function readFacts(
  store: EngineStore,
  { environment, pipeline, reprocess }: Pick<BackfillRecord, 'environment' | 'pipeline' | 'reprocess'>,
  { release, pipeline: { schedule } }: ResolvedPipeline,
  intervals: readonly { readonly start: Date; readonly end: Date }[],
  now: Date,
): Promise<BackfillFacts> {
  const starts = intervals.map(({ start }) => start.getTime());
  const from = new Date(Math.min(...starts)).toISOString();
  const to = new Date(Math.max(...starts) + 1).toISOString();
  const existing = await store.runsOfIntervals(environment, pipeline, from, to);
  const succeeded = existing.filter((run) => run.state === 'success').map((run) => run.id);
  const otherInputs = reprocess === 'stale' ? await store.otherInputs(succeeded) : new Map<string, string>();
  return { schedule, existing, reprocess, release, otherInputs, now };
}

function runOf(
  { id, actor, runOrder }: BackfillRecord,
  resolved: ResolvedPipeline,
  { interval, reason }: { interval: { start: Date; end: Date }; reason: string },
): NewRun {
  const start = interval.start.getTime();
  return {
    ...newRun(resolved, interval, {}),
    trigger: 'backfill',
    why: `Backfill ${id} by ${actor}: ${reason}.`,
    queueOrder: BACKFILL_ORDER + (runOrder === 'newest_first' ? -start : start),
    backfillId: id,
  };
}
