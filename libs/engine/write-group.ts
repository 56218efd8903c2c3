import type { Admitted, Batch, Decision, EngineStore, Executor, MovedPointer } from '#core';
import { recoveredAlerts } from './alerts.ts';
import { routes, type AlertDefaults } from './route-alerts.ts';
import type { BatchRows } from './build-batch.ts';
import { addRun, emptyRows } from './build-batch.ts';
import type { AttemptFacts } from './live-attempts.ts';
import type { OwnedRun } from './owned-run.ts';
import { workerOf } from './worker-of.ts';

/** A run with what was decided of it in this group. */
export interface Advanced {
  readonly run: OwnedRun;
  readonly decisions: readonly Decision[];
}

export type PoolHint = Batch['pools'][number];

export type Written =
  | {
      readonly kind: 'written';
      readonly advanced: readonly Advanced[];
      readonly admitted: readonly Admitted[];
      /** True: there may be a slot for more in these pools. */
      readonly hasMore: boolean;
      readonly pointed: readonly MovedPointer[];
      /** True when pipelines wait for something of what was written. */
      readonly awaited: boolean;
      /** Null: there was nothing to write. */
      readonly batch: Batch | null;
    }
  /** Nothing was written: these runs belong to somebody else by now, or were cancelled while their end was decided. */
  | { readonly kind: 'lost' | 'cancelled'; readonly runIds: readonly string[] };

export interface GroupWriter {
  readonly processId: string;
  readonly executor: Pick<Executor, 'outlivesProcess'>;
  readonly store: EngineStore;
  readonly alertDefaults: AlertDefaults;
}

/**
 * Advances the runs by the events that wait for them and writes what follows in one transaction. When it throws or
 * answers `lost` or `cancelled`, the caches of all these runs are ahead of the database and must be dropped.
 */
export async function writeGroup(
  { processId, executor, store, alertDefaults }: GroupWriter,
  runs: readonly OwnedRun[],
  pools: readonly PoolHint[],
  facts: AttemptFacts,
  now: number,
): Promise<Written> {
  const rows = emptyRows();
  const advanced: Advanced[] = [];
  for (const run of runs) {
    const events = run.events;
    run.events = [];
    advanced.push({ run, decisions: addRun(rows, run, events, facts, now, alertDefaults) });
    for (const event of events) if (event.kind === 'ended') run.flushed.push(event.attemptId);
  }
  rows.pools.push(...pools);
  const { inserts, updates, attempts, runUpdates } = rows;
  if (inserts.length + updates.length + attempts.length + runUpdates.length + rows.pools.length === 0)
    return { kind: 'written', advanced, admitted: [], hasMore: false, pointed: [], awaited: false, batch: null };
  await addRecovered(store, rows, advanced, alertDefaults);
  const batch: Batch = {
    ...rows,
    pools: mergePools(rows.pools),
    processId,
    worker: workerOf(executor, processId),
    runs: runs.map(({ record }) => ({ id: record.id, token: record.leaseToken })),
  };
  const applied = await store.apply(batch);
  return applied.kind !== 'applied' ? applied : { ...applied, kind: 'written', advanced, batch };
}

async function addRecovered(
  store: EngineStore,
  rows: BatchRows,
  advanced: readonly Advanced[],
  defaults: AlertDefaults,
): Promise<void> {
  for (const { run, decisions } of advanced) {
    const { record, plan, environment } = run;
    if (!decisions.some((decision) => decision.kind === 'end-run' && decision.state === 'success')) continue;
    if (record.shadow || routes('run.recovered', plan.pipeline, environment.config).length === 0) continue;
    const mended = await store.mendedRun(record.environment, record.pipeline, record.id);
    if (mended !== null) rows.alerts.push(...recoveredAlerts(mended, record, plan.pipeline, environment, defaults));
  }
}

/** One row per pool, in the order in which pools are locked. */
function mergePools(pools: readonly PoolHint[]): PoolHint[] {
  const merged = new Map<string, PoolHint>();
  for (const item of pools) {
    const key = `${item.environment}\0${item.pool}`;
    merged.set(key, { ...item, freed: item.freed + (merged.get(key)?.freed ?? 0) });
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
