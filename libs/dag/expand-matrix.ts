import { createHash } from 'node:crypto';
import type { Matrix } from '#core';
import { canonicalJson } from './canonical-json.ts';

export interface MatrixItem {
  /** `lr=0.1,depth=4`: unique, and safe as one segment of a path. */
  readonly key: string;
  readonly values: Record<string, unknown>;
}

export type ExpandedMatrix =
  { readonly ok: true; readonly items: MatrixItem[] } | { readonly ok: false; readonly message: string };

/** Even a forgotten `max_fanout` must not fill the memory. */
const MOST_ITEMS = 1_000_000;
const LONGEST_KEY = 120;

/**
 * The items of a fan-out in the order of their map index: cross product of the axes, the last one fastest.
 * `evaluateExpr` gives the value of a dynamic axis; it may throw.
 */
export function expandMatrix(matrix: Matrix, evaluateExpr: (expression: string) => unknown): ExpandedMatrix {
  const axes: [name: string, list: readonly unknown[]][] = [];
  for (const [name, axis] of Object.entries(matrix.axes)) {
    const list = listOf(axis, evaluateExpr);
    if (typeof list === 'string') return { ok: false, message: `Matrix axis "${name}" ${list}.` };
    axes.push([name, list]);
  }
  const size = axes.reduce((product, [, list]) => product * list.length, axes.length === 0 ? 0 : 1);
  if (size > MOST_ITEMS)
    return { ok: false, message: `The matrix makes ${size} task runs; at most ${MOST_ITEMS} are possible.` };
  let combinations: Record<string, unknown>[] = size === 0 ? [] : [{}];
  for (const [name, list] of axes)
    combinations = combinations.flatMap((values) => list.map((value) => ({ ...values, [name]: value })));
  return { ok: true, items: withKeys(combinations) };
}

type Axis = readonly unknown[] | { readonly expr: string } | { readonly list: readonly unknown[] };

/** The list, or what is wrong with it. */
function listOf(axis: Axis, evaluateExpr: (expression: string) => unknown): readonly unknown[] | string {
  if (!('expr' in axis)) return 'list' in axis ? axis.list : axis;
  let value: unknown;
  try {
    value = evaluateExpr(axis.expr);
  } catch (error) {
    return `cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (Array.isArray(value)) return value;
  return `gives ${value === null ? 'null' : typeof value}; expected a list (expression \`${axis.expr}\`)`;
}

function withKeys(combinations: readonly Record<string, unknown>[]): MatrixItem[] {
  const taken = new Set<string>();
  return combinations.map((values, index) => {
    let key = keyOf(values);
    // The same value twice in a list, or two that look alike once made safe.
    while (taken.has(key.toLowerCase())) key = `${key}#${index}`;
    taken.add(key.toLowerCase());
    return { key, values };
  });
}

function keyOf(values: Readonly<Record<string, unknown>>): string {
  const readable = Object.entries(values)
    .map(([axis, value]) => `${axis}=${safe(typeof value === 'string' ? value : canonicalJson(value))}`)
    .join(',');
  if (readable.length <= LONGEST_KEY) return readable;
  const hash = createHash('sha256').update(canonicalJson(values)).digest('hex').slice(0, 12);
  return `${readable.slice(0, LONGEST_KEY - 13)}~${hash}`;
}

/** Letters, digits and a few signs as they are; everything else as `_`, so that no key is `..` or holds a slash. */
function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9._+@-]/g, '_');
}
