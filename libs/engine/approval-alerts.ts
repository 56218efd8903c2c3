import type { AlertInsert, TaskRunChange, WaitInsert } from '#core';
import { mapItem, type OwnedRun } from './owned-run.ts';
import { toAll, type AlertDefaults } from './route-alerts.ts';

/** More would push everything else out of a message. */
const MOST_ITEMS = 4;

interface Asked extends Pick<WaitInsert, 'taskId' | 'what' | 'timeoutAt' | 'onTimeout'> {
  readonly groups: readonly string[];
  /** Of its fan-out; empty: it has none. */
  readonly key: string;
}

/**
 * Tells that somebody is asked; who waits for anything else tells nobody. What several items of a task ask at the same moment
 * is told at once.
 */
export function approvalAlerts(
  run: OwnedRun,
  changes: readonly TaskRunChange[],
  defaults: AlertDefaults,
): AlertInsert[] {
  const byTask = new Map<number, Asked[]>();
  for (const { to, taskIndex, mapIndex } of changes) {
    const wait = to === 'waiting' ? run.waits.get(`${taskIndex}/${mapIndex}`) : undefined;
    if (wait?.target.kind !== 'approve') continue;
    const asked = { ...wait, groups: wait.target.groups, key: mapItem(run, taskIndex, mapIndex)?.key ?? '' };
    byTask.set(taskIndex, [...(byTask.get(taskIndex) ?? []), asked]);
  }
  return [...byTask.values()].flatMap((all) => alertsOfTask(run, all, defaults));
}

function alertsOfTask(run: OwnedRun, all: readonly Asked[], defaults: AlertDefaults): AlertInsert[] {
  const [first] = all;
  if (first === undefined) return [];
  const { id } = run.record;
  const { taskId, what, timeoutAt, onTimeout, groups, key } = first;
  const name = key === '' ? taskId : `${taskId}[${key}]`;
  const others = all.length === 1 ? '' : ` And ${all.length - 1} more of its items.`;
  // A shell would take brackets for a pattern.
  const answers = key === '' ? taskId : `'${name}'`;
  return toAll(
    'task.approval',
    id,
    run.record,
    run.plan.pipeline,
    run.environment,
    `Task "${name}" asks: ${what}${others}`,
    defaults,
    {
      log: null,
      details: [
        ...(all.length === 1 ? [] : all.slice(0, MOST_ITEMS).map((one) => ({ label: one.key, value: one.what }))),
        { label: 'Who may answer', value: groups.join(', ') || 'whoever may approve here' },
        ...(timeoutAt === null
          ? []
          : [{ label: onTimeout === 'fail' ? 'Fails at' : 'Is skipped at', value: new Date(timeoutAt).toISOString() }]),
        { label: 'Answer', value: `sluice runs approve ${id} ${answers}` },
        ...(all.length === 1 ? [] : [{ label: 'Answer all', value: `sluice runs approve ${id} ${taskId}` }]),
      ],
    },
  );
}
