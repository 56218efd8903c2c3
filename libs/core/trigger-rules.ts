import type { TriggerRule } from './states.ts';
import { unreachable } from './errors.ts';

/** How the task runs upstream of one task have ended so far. Fan-out counts per task run; `cancelled` counts as failed. */
export interface UpstreamCounts {
  /** Task runs upstream; one for a task whose fan-out is not known yet. */
  readonly total: number;
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  readonly upstreamFailed: number;
}

export type RuleVerdict = 'wait' | 'run' | 'skipped' | 'upstream_failed';

/**
 * Decides whether a task may start, from the counts of its upstream task runs.
 * The table is Airflow's (semantics.md, A3): "eager" rules decide before everything upstream is done.
 */
export function decideRule(rule: TriggerRule, up: UpstreamCounts): RuleVerdict {
  const failed = up.failed + up.upstreamFailed;
  const done = up.success + up.skipped + failed;
  const allDone = done >= up.total;
  switch (rule) {
    case 'always':
      return 'run';
    case 'all_success':
      if (failed > 0) return 'upstream_failed';
      if (up.skipped > 0) return 'skipped';
      return up.success === up.total ? 'run' : 'wait';
    case 'all_failed':
      if (up.success > 0 || up.skipped > 0) return 'skipped';
      return failed === up.total ? 'run' : 'wait';
    case 'all_done':
      return allDone ? 'run' : 'wait';
    case 'all_done_min_one_success':
      if (!allDone) return 'wait';
      if (up.skipped > 0) return 'skipped';
      return up.success > 0 || up.total === 0 ? 'run' : 'upstream_failed';
    case 'all_skipped':
      if (up.success > 0 || failed > 0) return 'skipped';
      return up.skipped === up.total ? 'run' : 'wait';
    case 'one_success':
      if (up.success > 0 || up.total === 0) return 'run';
      if (!allDone) return 'wait';
      return up.skipped === up.total ? 'skipped' : 'upstream_failed';
    case 'one_failed':
      if (failed > 0) return 'run';
      return allDone ? 'skipped' : 'wait';
    case 'one_done':
      if (up.success + failed > 0) return 'run';
      return allDone ? 'skipped' : 'wait';
    case 'none_failed':
      if (failed > 0) return 'upstream_failed';
      return allDone ? 'run' : 'wait';
    case 'none_failed_min_one_success':
      if (failed > 0) return 'upstream_failed';
      if (!allDone) return 'wait';
      return up.skipped === up.total && up.total > 0 ? 'skipped' : 'run';
    case 'none_skipped':
      if (up.skipped > 0) return 'skipped';
      return allDone ? 'run' : 'wait';
    default:
      return unreachable(rule);
  }
}
