import { loadRunCache, type CompiledPipeline, type CompiledTask, type EnvironmentConfig } from '#core';
import type { Interval } from '#dag';
import type { buildAssignment, planRun } from '#engine';

/** A run as the engine would own it at its start. */
export type PretendRun = Parameters<typeof buildAssignment>[0];

/** Stands for what only a real run has. */
const RUN_ID = 'RUN_ID';

/** A run that nobody stored: enough for the engine's own functions to say what its attempts would be given. */
export function pretendRun(
  pipeline: CompiledPipeline,
  environment: EnvironmentConfig,
  about: {
    readonly params: Readonly<Record<string, unknown>>;
    readonly interval: Interval | null;
    readonly release: string;
    readonly plan: ReturnType<typeof planRun>;
  },
): PretendRun {
  return {
    record: {
      id: RUN_ID,
      environment: environment.name,
      pipeline: pipeline.name,
      release: about.release,
      trigger: 'manual',
      shadow: false,
      intervalStart: about.interval?.start.toISOString() ?? null,
      intervalEnd: about.interval?.end.toISOString() ?? null,
      params: about.params,
      originRun: null,
      state: 'running',
      cancelRequested: false,
      createdAt: new Date(0).toISOString(),
      startedAt: null,
      timeoutAt: null,
      leaseToken: '0',
    },
    plan: about.plan,
    environment: { config: environment, hash: '' },
    cache: loadRunCache(RUN_ID, about.plan.graph, []),
    events: [],
    flushed: [],
    // Which versions are read is known only then; that they are read decides names of variables now.
    prepared: new Map(pipeline.tasks.map((task, index) => [index, { inputs: inputNames(task), items: null }])),
    outputs: new Map(),
    failures: new Map(),
    waiting: new Map(),
    waits: new Map(),
    approved: new Map(),
    pastMet: new Set(),
    warned: new Set(),
    readyAt: new Map(),
    preparing: new Set(),
  };
}

function inputNames(task: CompiledTask): { name: string; variable: string; versions: [] }[] {
  return task.reads.map(({ alias }) => ({ name: alias, variable: `PATH_${alias.toUpperCase()}`, versions: [] }));
}
