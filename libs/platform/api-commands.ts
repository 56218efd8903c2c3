import type { Caller, EngineStore, MarkedState, RunRecord } from '#core';
import { SluiceError } from '#core';
import { actOnRuns, type BulkAction, type Commands, routes } from '#engine';
import type { EnvironmentFiles } from './environment-files.ts';

/** The engine's commands in the words of the API: instants as strings. */
export function createApiCommands(commands: Commands, store: EngineStore, environments: EnvironmentFiles) {
  return {
    trigger: async (
      pipeline: string,
      request: {
        environment: string;
        params: Record<string, unknown>;
        at?: string | undefined;
        from?: string | undefined;
        to?: string | undefined;
        noCache: boolean;
      },
      actor: string,
    ) => {
      const { environment, params, at, from, to, noCache } = request;
      const interval = {
        ...(at === undefined ? {} : { at }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      };
      return { runId: await commands.trigger({ pipeline, environment, params, ...interval, noCache, actor }) };
    },
    cancelRun: (runId: string, actor: string) => commands.cancel(runId, actor),
    answerTask: (
      runId: string,
      taskId: string,
      request: { decision: 'approve' | 'reject'; comment: string | null; map?: number | undefined },
      caller: Caller,
    ) => {
      const { decision, comment, map: mapIndex = null } = request;
      const answer = { isApproved: decision === 'approve', comment: comment?.trim() ?? '' };
      return commands.answer(runId, { taskId, mapIndex }, answer, caller);
    },
    markRun: (
      runId: string,
      request: { as: MarkedState; reason: string; task?: string | undefined; map?: number | undefined },
      actor: string,
    ) => {
      const { as: state, reason, task = null, map = null } = request;
      return commands.mark(runId, { state, reason, taskId: task, mapIndex: map, actor });
    },
    actOnRuns: async (environment: string, runIds: readonly string[], action: BulkAction, actor: string) => {
      const outcomes = await actOnRuns(commands, environment, runIds, action, actor);
      return outcomes.map(({ run, ...rest }) => ({
        ...rest,
        pipeline: run?.pipeline ?? null,
        interval: intervalOf(run),
      }));
    },
    rerunRun: async (
      runId: string,
      request: {
        mode: 'failed' | 'all' | 'from';
        task?: string | undefined;
        release: 'same' | 'current';
        noCache: boolean;
      },
      actor: string,
    ) => {
      const { mode, task, release, noCache } = request;
      const asked = { mode, release, noCache, actor };
      return { runId: await commands.rerun(runId, { ...asked, ...(task === undefined ? {} : { task }) }) };
    },
    setPaused: (environment: string, pipeline: string, paused: boolean, actor: string) =>
      commands.setPaused(environment, pipeline, paused, actor),
    testAlerts: (environment: string, target: string | null) => testAlerts(store, environments, environment, target),
    recordMetrics: async (
      runId: string,
      points: readonly { taskId: string; mapIndex: number; name: string; value: number; step: number | null }[],
    ) => store.recordMetrics(runId, points),
  };
}

function intervalOf(run: RunRecord | null): { start: string; end: string } | null {
  if (run === null || run.intervalStart === null || run.intervalEnd === null) return null;
  return { start: run.intervalStart, end: run.intervalEnd };
}

/** Puts a test message for each target into the outbox; the deliveries' ids. */
async function testAlerts(
  store: EngineStore,
  environments: EnvironmentFiles,
  name: string,
  target: string | null,
): Promise<readonly string[]> {
  const environment = environments.get(name);
  if (!environment) throw new SluiceError('not_found', `There is no environment "${name}".`);
  const nobody = { alerts: [] } as unknown as Parameters<typeof routes>[1];
  const targets = target === null ? routes('run.failed', nobody, environment.config) : [target];
  if (targets.length === 0)
    throw new SluiceError('bad_request', `Environment "${name}" has no alert routes.`, {
      hint: `Add \`alerts:\` to environments/${name}.yaml, or name a target such as slack:#channel.`,
    });
  return store.insertAlerts(
    targets.map((to) => ({
      environment: name,
      pipeline: 'alert-test',
      runId: '0',
      event: 'run.failed',
      target: to,
      state: 'pending',
      detail: null,
      message: {
        event: 'run.failed',
        environment: name,
        pipeline: 'alert-test',
        runId: '0',
        release: 'none',
        interval: null,
        owner: '',
        title: 'This is a test: alerts for this environment arrive here',
        details: [],
        runUrl: '',
        logUrl: null,
        log: null,
        at: new Date().toISOString(),
      },
    })),
  );
}
