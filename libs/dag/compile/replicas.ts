import type { CompiledTask, Replicas } from '#core';
import type { ReplicasShape } from '../shape/replicas-shape.ts';
import { TASK_KINDS, type TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { executesNothing } from './wait-body.ts';

/** Kinds of whose tasks several processes can make one. */
const TOGETHER: readonly string[] = ['run', 'node', 'python'];

/** By which replicas find each other. */
const OURS = ['RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'LOCAL_WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'];

/** `replicas: 1` is what every task has. */
export function compileReplicas(shape: TaskShape, path: Path, compiling: Compiling): Pick<CompiledTask, 'replicas'> {
  if (shape.replicas === undefined || executesNothing(shape)) return {};
  const place = [...path, 'replicas'];
  const kind = TASK_KINDS.find((candidate) => shape[candidate] !== undefined);
  if (kind !== undefined && !TOGETHER.includes(kind)) {
    const message = `replicas has no meaning with ${kind}, which one process executes.`;
    compiling.atKey(place, message, 'Remove it, or use `matrix` to fan the task out.');
    return {};
  }
  checkVariables(shape, path, compiling);
  const replicas = replicasOf(shape.replicas, place, compiling);
  return replicas === null || replicas.max === 1 ? {} : { replicas };
}

/** Null: its fault is reported. */
export function replicasOf(shape: ReplicasShape, place: Path, compiling: Compiling): Replicas | null {
  const { min, max } = typeof shape === 'number' ? { min: shape, max: shape } : shape;
  if (min <= max) return { min, max };
  const message = `min is ${quote(min)}, max is ${quote(max)}; expected min to be no more than max.`;
  compiling.at(place, message, 'Write { min: 2, max: 4 }.');
  return null;
}

function checkVariables({ env = {}, secrets = [] }: TaskShape, path: Path, compiling: Compiling): void {
  const named = [
    ...Object.keys(env).map((name) => ({ name, place: [...path, 'env', name] })),
    ...secrets.map((name, index) => ({ name, place: [...path, 'secrets', index] })),
  ];
  for (const { name, place } of named)
    if (OURS.includes(name))
      compiling.atKey(place, `The variable ${quote(name)} is set for each replica.`, 'Choose another name.');
}
