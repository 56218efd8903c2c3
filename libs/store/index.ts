export { connectDatabase, migrate } from './database.ts';
export { createPromotionStore } from './promotion-store.ts';
export { createStore } from './store.ts';
export { createVerificationStore } from './verification-store.ts';
export type { Db } from './statement.ts';
export { recordRelease } from './queries/record-release.ts';
export { usedReleases } from './queries/used-releases.ts';
export * as apiQueries from './api-queries.ts';
export { appendAudit, type AuditVerdict } from './queries/audit.ts';
