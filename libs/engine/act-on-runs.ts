import type { RunRecord } from '#core';
import { SluiceError } from '#core';
import type { Commands } from './commands.ts';

export type BulkAction =
  | { readonly kind: 'cancel' }
  | {
      readonly kind: 'rerun';
      readonly mode: 'failed' | 'all';
      readonly release: 'same' | 'current';
      readonly noCache: boolean;
    }
  | {
      readonly kind: 'mark';
      readonly as: 'success' | 'failed';
      readonly reason: string;
      readonly task?: string | undefined;
    };

/** What became of one run. */
export interface BulkOutcome {
  readonly runId: string;
  /** Null: there is no such run in the environment. */
  readonly run: RunRecord | null;
  readonly outcome: 'done' | 'refused';
  readonly message: string | null;
  readonly created: string | null;
}

/**
 * Does the same to many runs of one environment, one after the other in the order given. Each is done for itself and stands
 * in the audit trail for itself: one that is refused stops no other. What is broken throws, and what was done is done.
 */
export async function actOnRuns(
  commands: Commands,
  environment: string,
  runIds: readonly string[],
  action: BulkAction,
  actor: string,
): Promise<BulkOutcome[]> {
  const outcomes: BulkOutcome[] = [];
  for (const runId of new Set(runIds)) {
    const run = await commands.find(runId);
    try {
      if (run === null || run.environment !== environment)
        throw new SluiceError('not_found', `There is no run ${runId} in ${environment}.`);
      const created = await act(commands, runId, action, actor);
      outcomes.push({ runId, run, outcome: 'done', message: null, created });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // What belongs to another environment is not told about.
      const own = run?.environment === environment ? run : null;
      outcomes.push({ runId, run: own, outcome: 'refused', message: error.message, created: null });
    }
  }
  return outcomes;
}

async function act(commands: Commands, runId: string, action: BulkAction, actor: string): Promise<string | null> {
  if (action.kind === 'rerun') return commands.rerun(runId, { ...action, actor });
  if (action.kind === 'cancel') await commands.cancel(runId, actor);
  else {
    const { as: state, reason, task = null } = action;
    await commands.mark(runId, { state, taskId: task, mapIndex: null, reason, actor });
  }
  return null;
}

function isRefusal(error: unknown): error is SluiceError {
  return error instanceof SluiceError && ['conflict', 'not_found', 'bad_request'].includes(error.code);
}
