/** Numbers of Postgres' advisory locks, each once: two uses of one number would wait for each other. */
export const ADVISORY_LOCKS = {
  migrate: 7_305_001,
  activateRuns: 7_305_002,
  /** Appenders take turns, because each record covers the one before. */
  appendAudit: 7_305_003,
  /** Held shared by whoever begins to use old versions, exclusively by who marks versions as removed. */
  versions: 7_305_004,
  /** What is in use is counted by one process at a time. */
  resources: 7_305_005,
  history: 7_305_006,
  /** With the hash of an environment's name: pairs of numbers are a space of their own. */
  promote: 7_305_004,
} as const;
