import { useCallback, useMemo } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { TASK_STATES, type TaskState } from '#core';
import type { RunDetail } from '#contracts';
import { TaskGraph } from './task-graph.tsx';
import type { GraphTask } from './task-node.tsx';

/** What deserves the eye first. */
const ORDER: readonly TaskState[] = [
  'failed',
  'lost',
  'running',
  'retrying',
  'queued',
  'ready',
  'waiting',
  'upstream_failed',
  'cancelled',
  'none',
  'skipped',
  'success',
];

/** The graph of one run, each task in the state of its task runs; live. */
export function RunGraph({ run }: { run: RunDetail }) {
  const navigate = useNavigate();
  const states = useMemo(() => statesByTask(run.taskRuns), [run.taskRuns]);
  const open = useCallback(
    (task: GraphTask) => void navigate({ to: '/runs/$run/tasks/$task', params: { run: run.id, task: task.id } }),
    [navigate, run.id],
  );
  return <TaskGraph tasks={run.tasks} layout={run.layout} states={states} onOpen={open} />;
}

export function statesByTask(
  taskRuns: readonly { readonly taskId: string; readonly state: TaskState }[],
): Map<string, (readonly [TaskState, number])[]> {
  const counts = new Map<string, Map<TaskState, number>>();
  for (const { taskId, state } of taskRuns) {
    const of = counts.get(taskId) ?? new Map<TaskState, number>();
    counts.set(taskId, of.set(state, (of.get(state) ?? 0) + 1));
  }
  const rank = (state: TaskState) => (ORDER.includes(state) ? ORDER.indexOf(state) : TASK_STATES.length);
  return new Map([...counts].map(([task, of]) => [task, [...of].sort(([a], [b]) => rank(a) - rank(b))]));
}
