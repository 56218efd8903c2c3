import type { Applied, Batch } from '#core';
import { admitReady, heldBack, lockPools } from './admit-ready.ts';
import { lockWithCalled, stopCalled } from './calls.ts';
import { countResults } from './count-results.ts';
import { lockVersions } from './take-back-versions.ts';
import { writeRows } from './write-rows.ts';
import { inPipeline, type Db, type Pipeline } from '../statement.ts';

/**
 * One group commit. Lock order: versions (shared, when results of earlier runs are taken), runs by id, then pools by (environment, name).
 * A run whose token is not ours any more, or that ends as if it had not been cancelled, refuses the whole batch before any write.
 */
export async function applyBatch(db: Db, batch: Batch): Promise<Applied> {
  return inPipeline(db, async (pipeline) => {
    const { manager } = pipeline;
    if (batch.links.length > 0) await lockVersions(manager);
    if (batch.endedCalls.length > 0) await lockWithCalled(manager, batch);
    const refused = await lockRuns(pipeline, batch);
    if (refused !== null) return refused;
    const fresh = heldBack(batch);
    const writing = writeRows(pipeline, { ...batch, inserts: batch.inserts.filter((one) => !fresh.has(one)) });
    if (batch.counted.length + batch.endedCalls.length > 0) {
      await writing;
      await countResults(manager, batch.counted);
      await stopCalled(manager, batch.endedCalls);
    }
    // Sent together with the rows: each answer that is waited for costs a process its turn.
    const [{ pointed, awaited }, applying] = await Promise.all([writing, lockPools(pipeline, batch)]);
    return { kind: 'applied', ...(await admitReady(pipeline, batch, applying, fresh)), pointed, awaited };
  });
}

const LOCK_RUNS = `
    select r.id::text, r.cancel_requested as "isCancelled"
    from run r
    join unnest($1::bigint[], $2::bigint[]) as ours (id, token) on ours.id = r.id
    where r.lease_token = ours.token and r.lease_owner = $3
    order by r.id
    for update of r`;

async function lockRuns(
  pipeline: Pipeline,
  batch: Batch,
): Promise<Extract<Applied, { kind: 'lost' | 'cancelled' }> | null> {
  if (batch.runs.length === 0) return null;
  const rows = await pipeline.run<{ id: string; isCancelled: boolean }>(LOCK_RUNS, [
    batch.runs.map((r) => r.id),
    batch.runs.map((r) => r.token),
    batch.processId,
  ]);
  if (rows.length !== batch.runs.length) {
    const held = new Set(rows.map((row) => row.id));
    return { kind: 'lost', runIds: batch.runs.map((r) => r.id).filter((id) => !held.has(id)) };
  }
  // Asked for after the end was decided and before it is written: whoever asked was told that it would be done.
  const cancelled = new Set(rows.flatMap(({ id, isCancelled }) => (isCancelled ? [id] : [])));
  const ends = batch.runUpdates.filter(({ runId, knowsStop }) => !knowsStop && cancelled.has(runId));
  return ends.length === 0 ? null : { kind: 'cancelled', runIds: ends.map(({ runId }) => runId) };
}
