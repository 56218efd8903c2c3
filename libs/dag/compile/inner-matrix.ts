import { MOST_INNER_ITEMS, type CompiledTask, type Matrix } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { compileMatrix } from './matrix.ts';
import type { TaskNode } from './task-node.ts';

const MOST_TASK_RUNS = 1_000;

/** The fan-out that a task has within each item of its group, whose axes its expressions know; null: it has none. */
export function compileInner(
  { id, path, shape, group }: TaskNode,
  shared: Matrix,
  names: Names,
  compiling: Compiling,
): NonNullable<CompiledTask['inner']> | null {
  if (shape?.matrix === undefined) return null;
  const maxFanout = shape.max_fanout ?? MOST_TASK_RUNS;
  if (maxFanout > MOST_INNER_ITEMS)
    compiling.at(
      [...path, 'max_fanout'],
      `max_fanout is ${maxFanout}; within an item of a group at most ${MOST_INNER_ITEMS} are possible.`,
      `Write ${MOST_INNER_ITEMS}.`,
    );
  for (const axis of Object.keys(shape.matrix))
    if (Object.hasOwn(shared.axes, axis))
      compiling.atKey(
        [...path, 'matrix', axis],
        `Task ${quote(id)} has the axis ${quote(axis)}, which its group ${quote(group ?? '')} has as well.`,
        'Rename one of them: its expressions know both.',
      );
  const matrix = compileMatrix(shape.matrix, maxFanout, [...path, 'matrix'], names, compiling);
  return matrix === null ? null : { matrix, maxFanout };
}
