/** Statements for screens and the CLI. Lists are keyset-paged; none counts or skips rows of a hot table. */
export * from './queries/audit.ts';
export { readPromotions } from './queries/promotions.ts';
export * from './queries/read-alerts.ts';
export * from './queries/read-drift.ts';
export * from './queries/read-environments.ts';
export * from './queries/read-events.ts';
export * from './queries/read-grid.ts';
export * from './queries/read-metrics.ts';
export * from './queries/read-paths.ts';
export * from './queries/read-pipelines.ts';
export * from './queries/read-releases.ts';
export * from './queries/read-runs.ts';
export * from './queries/read-starts.ts';
export * from './queries/read-system.ts';
export * from './queries/read-task-runs.ts';
export * from './queries/read-waiting.ts';
export * from './queries/tokens.ts';
export { latestVerification, toolsOfRun, versionsOfRun } from './queries/verifications.ts';
