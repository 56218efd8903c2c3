/** Statements of retention: which runs are past it, moving them into archives, and what is in those. */
export { readRunArchives } from './queries/archive-runs.ts';
export * from './queries/archives.ts';
export { countExpired, expiredRuns } from './queries/expired-runs.ts';
export { forgetWorkers, removeRuns } from './queries/remove-runs.ts';
export { withHistoryLock } from './queries/lock-history.ts';
export { forgetStarts } from './queries/triggers.ts';
