export { connectDatabase, migrate } from './database.ts';
export { isDatabaseAway } from './database-away.ts';
export { createPromotionStore } from './promotion-store.ts';
export { createAssignmentStore, createPlacementStore, createWorkStore } from './assignment-store.ts';
export { createStore } from './store.ts';
export { listen, type Listening } from './listen.ts';
export { createVerificationStore } from './verification-store.ts';
export type { Db } from './statement.ts';
export * as followQueries from './queries/follows.ts';
export * as previewQueries from './queries/previews.ts';
export { recordRelease } from './queries/record-release.ts';
export { recordedTests, recordTests } from './queries/release-tests.ts';
export {
  garbageReleases,
  garbageVersions,
  markErased,
  markGarbage,
  markShadowVersions,
  versionsToErase,
  type GarbageVersion,
} from './queries/collect-garbage.ts';
export * as historyQueries from './history-queries.ts';
export type { RunArchive } from './queries/archive-runs.ts';
export type { ArchivedRunRow } from './queries/archives.ts';
export type { OldestTransaction } from './queries/read-oldest-transaction.ts';
export type { ExpiredRun, Pin } from './queries/expired-runs.ts';
export type { WrittenArchive } from './queries/remove-runs.ts';
export { recordedReleases, usedReleases } from './queries/used-releases.ts';
export * as apiQueries from './api-queries.ts';
export { appendAudit, type AuditVerdict } from './queries/audit.ts';
