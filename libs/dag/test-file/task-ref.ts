import { joinKeys, type CompiledTask, type Matrix } from '#core';
import { expandMatrix } from '../expand-matrix.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { CompilingTest } from './parse-tests.ts';

/** `train` of `train[l2=3]`. */
export function taskIdOf(ref: string): string {
  return ref.split('[')[0] ?? ref;
}

/** Whether a test that names `task` or `task[key]` at `path` names something that exists. */
export function checkTaskRef(ref: string, path: Path, { compiling, pipeline }: CompilingTest): void {
  const id = taskIdOf(ref);
  const task = pipeline.tasks.find((one) => one.id === id);
  const all = pipeline.tasks.map((one) => one.id);
  if (task === undefined) {
    const message = `Pipeline ${quote(pipeline.name)} has no task ${quote(id)}.`;
    return compiling.atKey(path, message, didYouMean(id, all, `It has ${all.slice(0, 12).join(', ')}.`));
  }
  if (ref === id) return;
  const key = ref.slice(id.length + 1, -1);
  if (task.matrix === null)
    return compiling.atKey(
      path,
      `Task ${quote(id)} is not fanned out, so it has no item ${quote(key)}.`,
      `Write ${id}.`,
    );
  const keys = keysOf(task);
  if (keys !== null && !keys.includes(key))
    compiling.atKey(
      path,
      `The fan-out of task ${quote(id)} has no item ${quote(key)}.`,
      didYouMean(key, keys, `It has ${keys.slice(0, 6).join(' and ')}.`),
    );
}

/** Of its task runs; null: the items of an expression are known only when it runs. */
function keysOf({ matrix, inner }: CompiledTask): readonly string[] | null {
  const outer = literalKeys(matrix);
  if (outer === null || inner === undefined) return outer;
  const own = literalKeys(inner.matrix);
  // An item that has no list is one task run.
  return own && outer.flatMap((key) => [key, ...own.map((below) => joinKeys(key, below))]);
}

function literalKeys(matrix: Matrix | null): readonly string[] | null {
  if (matrix?.kind !== 'literal') return null;
  const expanded = expandMatrix(matrix, () => undefined);
  return expanded.ok ? expanded.items.map(({ key }) => key) : [];
}
