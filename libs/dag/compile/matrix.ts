import type { Matrix } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { CEL_NUMBER } from '../expression/expression-types.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';

/** The matrix of a task; null when there is none (or none that could be used, which is reported). */
export function compileMatrix(
  shape: TaskShape['matrix'],
  maxFanout: number,
  path: Path,
  names: Names,
  compiling: Compiling,
): Matrix | null {
  if (shape === undefined) return null;
  const axes = Object.entries(shape);
  if (axes.length === 0) compiling.at(path, 'matrix has no axis.', 'Write for example { lr: [0.05, 0.1] }.');
  const compiled: Record<string, { expr: string } | { list: readonly unknown[] }> = {};
  let size = 1;
  for (const [axis, values] of axes) {
    const place = [...path, axis];
    if (axis === 'include' || axis === 'exclude')
      compiling.atKey(
        place,
        `The key ${quote(axis)} in matrix is not yet supported.`,
        'List the values that you need; combinations cannot be added or left out.',
      );
    if (typeof values === 'string') {
      if (!values.includes('${{'))
        compiling.at(
          place,
          `matrix.${axis} is ${quote(values)}; expected a list or an expression.`,
          `Write [${values}] or "\${{ … }}".`,
        );
      else compiled[axis] = { expr: compiling.expression(values, place, names, 'list') };
      continue;
    }
    if (values.length === 0)
      compiling.at(place, `matrix.${axis} is empty, so the task would never run.`, 'Give it at least one value.');
    size *= values.length;
    compiled[axis] = { list: values };
  }
  if (size > maxFanout)
    compiling.at(
      path,
      `matrix makes ${size} task runs; at most ${maxFanout} are allowed.`,
      `Raise max_fanout to ${size} or shorten the lists.`,
    );
  const literal: Record<string, readonly unknown[]> = {};
  for (const [axis, values] of Object.entries(compiled)) {
    if ('expr' in values) return { kind: 'dynamic', axes: compiled };
    literal[axis] = values.list;
  }
  return axes.length === 0 ? null : { kind: 'literal', axes: literal };
}

/** CEL types of the axes, for checking expressions. */
export function matrixTypes(matrix: Matrix | null): Record<string, string> {
  if (matrix === null) return {};
  return Object.fromEntries(
    Object.entries(matrix.axes).map(([axis, values]) => {
      const list = Array.isArray(values) ? values : 'list' in values ? values.list : [];
      return [axis, typeOfAll(list)];
    }),
  );
}

function typeOfAll(values: readonly unknown[]): string {
  const types = new Set(values.map((value) => typeof value));
  if (types.size !== 1) return 'dyn';
  if (types.has('string')) return 'string';
  if (types.has('number')) return CEL_NUMBER;
  return types.has('boolean') ? 'bool' : 'dyn';
}
