import type { BackfillStore } from '#core';
import * as backfills from './queries/backfills.ts';
import type { Db } from './statement.ts';

/** Backfills on Postgres: every method is a query function bound to the connection pool, or to one transaction. */
export function createBackfillStore(db: Db): BackfillStore {
  return {
    createBackfill: (given) => backfills.createBackfill(db, given),
    getBackfill: (id) => backfills.getBackfill(db, id),
    runningBackfills: () => backfills.runningBackfills(db),
    lockBackfill: (id) => backfills.lockBackfill(db, id),
    pendingIntervals: (id, limit) => backfills.pendingIntervals(db, id, limit),
    settleIntervals: (id, settled) => backfills.settleIntervals(db, id, settled),
    moveBackfill: (id, from, to, reason) => backfills.moveBackfill(db, id, from, to, reason),
    liveRunsOfBackfill: (id) => backfills.liveRunsOfBackfill(db, id),
    otherInputs: (runIds) => backfills.otherInputs(db, runIds),
  };
}
