import type { CompiledPipeline, CompiledTask, Schedule } from '#core';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { Sections } from './sections.ts';
import type { TaskNode } from './task-node.ts';

const KEYS = ['depends_on_past', 'wait_for_downstream'] as const;

/** What the task asks of the interval before. What the defaults say does not hold under `finally:`, whose tasks always run. */
export function compilePast(
  { shape, path, final, id }: TaskNode,
  inherited: Pick<TaskShape, (typeof KEYS)[number]>,
  compiling: Compiling,
): CompiledTask['past'] {
  if (final) {
    for (const key of KEYS)
      if (shape?.[key] === true)
        compiling.atKey(
          [...path, key],
          `Task ${quote(id)} stands under finally, whose tasks always run; ${key} has no meaning there.`,
          'Remove it.',
        );
    return undefined;
  }
  const { depends_on_past: depends, wait_for_downstream: waits } = shape ?? {};
  if (depends === false && waits === true)
    compiling.atKey(
      [...path, 'wait_for_downstream'],
      `Task ${quote(id)} waits for what followed it in the interval before, and says that it does not depend on that.`,
      'Remove `depends_on_past: false`, or this.',
    );
  // Whoever does not depend on the past does not wait for what followed in it either.
  const downstream = waits ?? (depends === false ? false : (inherited.wait_for_downstream ?? false));
  return downstream || (depends ?? inherited.depends_on_past ?? false) ? { downstream } : undefined;
}

/** Reports where no interval comes before another one. */
export function checkPast(pipeline: CompiledPipeline, sections: Sections, compiling: Compiling): void {
  if (!pipeline.tasks.some(({ past }) => past !== undefined)) return;
  const overlays = Object.entries(pipeline.environments);
  const schedules: [Schedule, string[]][] = [
    [pipeline.schedule, ['schedule']],
    ...overlays.flatMap(([name, { schedule }]): [Schedule, string[]][] =>
      schedule === undefined ? [] : [[schedule, ['environments', name, 'schedule']]],
    ),
  ];
  if (schedules.every(([{ kind }]) => kind === 'manual')) reportAsked(sections, compiling);
  for (const [schedule, path] of schedules)
    if (schedule.kind !== 'manual' && schedule.catchup.kind !== 'none' && schedule.catchup.order === 'newest_first')
      compiling.at(
        [...path, 'catchup'],
        'catchup begins with the newest interval, and a task depends on the interval before.',
        'Write `order: oldest_first`, or remove `depends_on_past` and `wait_for_downstream`.',
      );
}

/** Defaults, which often come from parts, may say so to pipelines without a schedule, too. */
function reportAsked({ first, tasks }: Sections, compiling: Compiling): void {
  for (const [section, { entries }] of Object.entries({ first, tasks }))
    for (const [id, shape] of Object.entries(entries))
      for (const key of KEYS)
        if (shape?.[key] === true)
          compiling.atKey(
            [section, id, key],
            `Task ${quote(id)} depends on the interval before, and no schedule gives its pipeline intervals.`,
            'Remove it, or add `schedule: { cron: … }`.',
          );
}
