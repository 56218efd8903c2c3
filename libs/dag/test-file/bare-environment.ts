import type { CompiledPipeline, EnvironmentConfig } from '#core';

/** Enough for any test: no pool is what a test without an environment is about. */
const SLOTS = 1_000_000;

/** An environment that no file describes: it knows every pool, tells nobody but the pipeline's own targets, and has nothing else. */
export function bareEnvironment(pipeline: CompiledPipeline): EnvironmentConfig {
  return {
    name: 'tests',
    storage: '',
    schedules: 'active',
    vars: {},
    params: {},
    secrets: {},
    pools: Object.fromEntries(pipeline.tasks.map(({ pool }) => [pool, SLOTS])),
    alerts: { slack: null, email: null, on: [], mute: [] },
    data: {},
    grants: [],
    logs: { maxBytes: 64 * 1024 ** 2, maxLineBytes: 64 * 1024 },
    promotion: {
      from: [],
      gates: [],
      approvals: { count: 0, groups: [], excludeAuthor: true, expiresMs: 0 },
      window: null,
      verify: null,
      autoRollback: false,
    },
    verifySample: null,
    retentionDays: null,
  };
}
