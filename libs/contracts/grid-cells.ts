import { TASK_STATES } from '#core';

// Without zod, which would come into the web view with it and ask for `eval`.

/** What a cell of a grid shows: the worst state of a task's task runs, or that all of them took earlier results. */
export const GRID_CELLS = [...TASK_STATES, 'cached'] as const;
export type GridCell = (typeof GRID_CELLS)[number];

/** Of several states the first of these says most: what people would want to know first. */
export const GRID_SEVERITY: readonly GridCell[] = [
  'failed',
  'upstream_failed',
  'cancelled',
  'lost',
  'retrying',
  'running',
  'queued',
  'ready',
  'waiting',
  'success',
  'cached',
  'skipped',
  'none',
];
