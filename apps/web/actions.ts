import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { AlertDelivery, BulkOutcome, PipelineSummary, RerunResult, Run, VerificationShape } from '#contracts';
import type { AnswerRequest, BulkRequest, MarkRequest } from '#contracts/client';
import { part, post } from './api.ts';
import { tell, tellError } from './parts/toasts.tsx';

/** Pauses or continues the schedule of a pipeline in one environment. */
export function usePause(env: string, pipeline: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (pause: boolean) =>
      post<PipelineSummary>(`/pipelines/${part(pipeline)}/${pause ? 'pause' : 'unpause'}`, { environment: env }),
    onSuccess: async (_summary, pause) => {
      tell(pause ? `${pipeline} is paused in ${env}` : `${pipeline} continues in ${env}`);
      await Promise.all([
        client.invalidateQueries({ queryKey: ['pipelines', env] }),
        client.invalidateQueries({ queryKey: ['pipeline', env, pipeline] }),
      ]);
    },
    onError: (error, pause) => tellError(pause ? 'Not paused' : 'Not continued', error),
  });
}

export interface TriggerInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly at?: string;
  /** Execute every task, whatever earlier runs have. */
  readonly noCache?: boolean;
}

/** Creates a run and opens it. Refusals are the caller's to show: they belong beside the form. */
export function useTrigger(env: string, pipeline: string) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (input: TriggerInput) => post<Run>(`/pipelines/${part(pipeline)}/runs`, { environment: env, ...input }),
    onSuccess: async (run) => {
      tell('Run created', `\`${run.id}\``);
      await navigate({ to: '/runs/$run', params: { run: run.id } });
    },
  });
}

export function useCancel(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<Run>(`/runs/${part(runId)}/cancel`),
    onSuccess: async () => {
      tell('Cancelling', 'Tasks get ten seconds to end by themselves.');
      await client.invalidateQueries({ queryKey: ['run', runId] });
    },
    onError: (error) => tellError('Not cancelled', error),
  });
}

/** Answers what a task asks. */
export function useAnswer(runId: string, taskId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: AnswerRequest) =>
      post<unknown>(`/runs/${part(runId)}/tasks/${part(taskId)}/approvals`, decision),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['task', runId] });
      await client.invalidateQueries({ queryKey: ['run', runId] });
    },
    onError: (error) => tellError('Not answered', error),
  });
}

export interface RerunInput {
  readonly mode: 'failed' | 'all' | 'from';
  readonly task?: string;
  readonly release?: 'same' | 'current';
  readonly noCache?: boolean;
}

/** Creates a new run that takes over what is finished, and opens it. */
export function useRerun(runId: string) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (input: RerunInput) => post<RerunResult>(`/runs/${part(runId)}/rerun`, input),
    onSuccess: async (run) => {
      tell('Rerun created', `\`${run.id}\``);
      await navigate({ to: '/runs/$run', params: { run: run.id } });
    },
    onError: (error) => tellError('Not rerun', error),
  });
}

/** Says what the run, or something of it, counts as. */
export function useMark(runId: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: MarkRequest) => post<Run>(`/runs/${part(runId)}/marks`, input),
    onSuccess: async (_run, { as, task }) => {
      tell(task === undefined ? `Run marked ${as}` : `Task ${task} marked ${as}`);
      onDone();
      await Promise.all([
        client.invalidateQueries({ queryKey: ['run', runId] }),
        client.invalidateQueries({ queryKey: ['task', runId] }),
      ]);
    },
    onError: (error) => tellError('Not marked', error),
  });
}

export type BulkAction = BulkRequest['action'];

/** Does the same to many runs; says how many were refused, and why the first was. */
export function useActOnRuns(env: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ runs, action }: { readonly runs: readonly string[]; readonly action: BulkAction }) =>
      post<{ items: readonly BulkOutcome[] }>('/runs/bulk', { environment: env, runs, action }),
    onSuccess: async ({ items }) => {
      const refused = items.filter(({ outcome }) => outcome === 'refused');
      const done = items.length - refused.length;
      if (done > 0) tell(done === 1 ? 'Done for one run' : `Done for ${done} runs`);
      if (refused.length > 0)
        tellError(`Refused for ${refused.length} of ${items.length}`, new Error(refused[0]?.message ?? ''));
      onDone();
      await client.invalidateQueries({ queryKey: ['runs', env] });
    },
    onError: (error) => tellError('Not done', error),
  });
}

/** Executes the run again to compare what it writes; the run's page tells what came out. */
export function useVerify(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<VerificationShape>(`/runs/${part(runId)}/verify`),
    onSuccess: async ({ shadowRunId }) => {
      tell('Verifying', shadowRunId === null ? undefined : `Run \`${shadowRunId}\` executes it again.`);
      await client.invalidateQueries({ queryKey: ['verification', runId] });
    },
    onError: (error) => tellError('Not verified', error),
  });
}

/** Sends a harmless message over every route of the environment. */
export function useTestAlerts(env: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<{ items: readonly AlertDelivery[] }>('/alerts/test', { environment: env }),
    onSuccess: async ({ items }) => {
      tell(items.length === 0 ? `No alert route in ${env}` : `Test sent over ${items.length} routes`);
      await client.invalidateQueries({ queryKey: ['alerts', env] });
    },
    onError: (error) => tellError('Test not sent', error),
  });
}
