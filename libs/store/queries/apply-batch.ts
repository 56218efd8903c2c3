import type { Applied, Batch } from '#core';
import { admitReady, heldBack, lockPools } from './admit-ready.ts';
import { lockWithCalled, stopCalled } from './calls.ts';
import { countResults } from './count-results.ts';
import { lockVersions } from './take-back-versions.ts';
import { writeRows } from './write-rows.ts';
import { inPipeline, type Db, type Pipeline } from '../statement.ts';

type Refused = Extract<Applied, { kind: 'lost' | 'cancelled' }>;

/**
 * One group commit. Lock order: versions (shared, when results of earlier runs are taken), runs by id, then pools by (environment, name).
 * A run whose token is not ours any more, or that ends as if it had not been cancelled, refuses the whole batch before any write.
 */
export async function applyBatch(db: Db, batch: Batch): Promise<Applied> {
  try {
    return await inPipeline(db, (pipeline) => apply(pipeline, batch));
  } catch (error) {
    const refused = refusalIn(error, batch);
    if (refused === null) throw error;
    return refused;
  }
}

async function apply(pipeline: Pipeline, batch: Batch): Promise<Applied> {
  const { manager } = pipeline;
  if (batch.links.length > 0) await lockVersions(manager);
  if (batch.endedCalls.length > 0) await lockWithCalled(manager, batch);
  const fresh = heldBack(batch);
  // Sent together: each answer that is waited for costs a process its turn. When the runs are refused, nothing behind it is done.
  const writing = Promise.all([
    lockRuns(pipeline, batch),
    writeRows(pipeline, { ...batch, inserts: batch.inserts.filter((one) => !fresh.has(one)) }),
  ]);
  if (batch.counted.length + batch.endedCalls.length > 0) {
    await writing;
    await countResults(manager, batch.counted);
    await stopCalled(manager, batch.endedCalls);
  }
  const [[, { pointed, awaited }], applying] = await Promise.all([writing, lockPools(pipeline, batch)]);
  return { kind: 'applied', ...(await admitReady(pipeline, batch, applying, fresh)), pointed, awaited };
}

/** What `refuse` raises; see migration 32. */
const REFUSED = 'SL001';

const LOCK_RUNS = `
    with held as materialized (
      select r.id, r.cancel_requested
      from run r
      join unnest($1::bigint[], $2::bigint[]) as ours (id, token) on ours.id = r.id
      where r.lease_token = ours.token and r.lease_owner = $3
      order by r.id
      for update of r
    )
    select refuse('a group commit is refused', coalesce(jsonb_agg(jsonb_build_object('id', id::text, 'isCancelled', cancel_requested)), '[]'))
    from held
    having count(*) <> cardinality($1::bigint[]) or bool_or(cancel_requested and id = any($4::bigint[]))`;

/** Rejects, and the transaction is over, when a run is not ours, or was cancelled while its end was decided. */
async function lockRuns(pipeline: Pipeline, batch: Batch): Promise<void> {
  if (batch.runs.length === 0) return;
  await pipeline.run(LOCK_RUNS, [
    batch.runs.map((r) => r.id),
    batch.runs.map((r) => r.token),
    batch.processId,
    batch.runUpdates.filter(({ knowsStop }) => !knowsStop).map(({ runId }) => runId),
  ]);
}

function refusalIn(error: unknown, batch: Batch): Refused | null {
  const { code, detail } = error as { readonly code?: unknown; readonly detail?: string };
  if (code !== REFUSED || detail === undefined) return null;
  const held = JSON.parse(detail) as readonly { readonly id: string; readonly isCancelled: boolean }[];
  if (held.length !== batch.runs.length) {
    const ids = new Set(held.map(({ id }) => id));
    return { kind: 'lost', runIds: batch.runs.map((r) => r.id).filter((id) => !ids.has(id)) };
  }
  // Asked for after the end was decided and before it is written: whoever asked was told that it would be done.
  const cancelled = new Set(held.flatMap(({ id, isCancelled }) => (isCancelled ? [id] : [])));
  const ends = batch.runUpdates.filter(({ runId, knowsStop }) => !knowsStop && cancelled.has(runId));
  return { kind: 'cancelled', runIds: ends.map(({ runId }) => runId) };
}
