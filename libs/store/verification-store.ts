import type { DataSource } from 'typeorm';
import type { VerificationStore } from '#core';
import * as verifications from './queries/verifications.ts';

/** Verifications on Postgres: every method is a query function bound to the connection pool. */
export function createVerificationStore(db: DataSource): VerificationStore {
  return {
    latest: (runId) => verifications.latestVerification(db, runId),
    openOf: (runId) => verifications.openVerification(db, runId),
    versionsOf: (runId) => verifications.versionsOfRun(db, runId),
    toolsOf: (runId, taskIds) => verifications.toolsOfRun(db, runId, taskIds),
    recordTools: (worker, tools) => verifications.recordTools(db, worker, tools),
    record: (given, result) => verifications.recordVerification(db, given, result),
    begin: (given, run, needed) => verifications.beginVerification(db, given, run, needed),
    ended: (limit) => verifications.endedVerifications(db, limit),
    finish: (id, result, alerts) => verifications.finishVerification(db, id, result, alerts),
    sample: (environment, sinceMs, limit) => verifications.sampleRuns(db, environment, sinceMs, limit),
    claimSample: (environment, everyMs) => verifications.claimSample(db, environment, everyMs),
  };
}
