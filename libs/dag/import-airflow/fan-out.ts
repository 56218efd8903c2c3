import { MOST_INNER_ITEMS } from '#core';
import type { Expand } from './airflow-dag.ts';
import { Names } from './names.ts';
import { isMap, textOf, TypedValue } from './typed-value.ts';

/** What a mapped task fans out over. */
export type FanOut =
  | {
      readonly ok: true;
      readonly matrix: Readonly<Record<string, unknown>>;
      /** The axis that stands for each of Airflow's names. */
      readonly axes: ReadonlyMap<string, string>;
      /** Absent: Sluice's own limit is enough. */
      readonly maxFanout?: number;
    }
  | { readonly ok: false; readonly reason: string };

const USUAL_FANOUT = 1_000;
const MOST_FANOUT = 100_000;
/** Keys of a matrix that mean something else. */
const RESERVED = ['include', 'exclude'];

/**
 * The matrix for `expand`; `outputOf` gives the CEL of another task's output, if that task runs before. `around`: the
 * matrix of the group that fans out around it.
 */
export function toFanOut(
  expand: Expand,
  outputOf: (task: string, key: string) => string | undefined,
  around: Readonly<Record<string, unknown>> | null = null,
): FanOut {
  const names = new Names('_');
  const taken = [...RESERVED, ...Object.keys(around ?? {})];
  for (const word of taken) names.give(word);
  const most = around === null ? MOST_FANOUT : MOST_INNER_ITEMS;
  const matrix: Record<string, unknown> = {};
  const axes = new Map<string, string>();
  let size = 1;
  for (const [name, value] of Object.entries(expand.axes)) {
    const axis = taken.includes(name) ? names.give(`${name}_x`) : names.give(name);
    axes.set(name, axis);
    if (value instanceof TypedValue && value.type === 'xcom') {
      const expression = outputOf(textOf(value.members.task), textOf(value.members.key));
      if (expression === undefined)
        return { ok: false, reason: `it is mapped over the output of a task that is not before it` };
      matrix[axis] = `\${{ ${expression} }}`;
      continue;
    }
    // Airflow maps over the pairs of a map.
    const list = isMap(value) ? Object.entries(value) : value;
    if (!Array.isArray(list))
      return { ok: false, reason: `"${name}" is mapped over something that is calculated in Python` };
    if (list.length === 0) return { ok: false, reason: `"${name}" is mapped over an empty list` };
    if (!isPlain(list))
      return { ok: false, reason: `"${name}" is mapped over values with templates or Python in them` };
    size *= list.length;
    matrix[axis] = list;
  }
  if (axes.size === 0) return { ok: false, reason: 'it is mapped over nothing' };
  if (size > most) return { ok: false, reason: `it is mapped ${size} times; at most ${most} are possible` };
  return { ok: true, matrix, axes, ...(size > USUAL_FANOUT ? { maxFanout: size } : {}) };
}

/** JSON in which nothing waits to be replaced. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return !/\{\{|\{%/.test(value);
  if (Array.isArray(value)) return value.every(isPlain);
  if (isMap(value)) return Object.values(value).every(isPlain);
  return !(value instanceof TypedValue);
}
