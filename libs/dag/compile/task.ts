import type { CompiledTask, PathDeclaration, TaskGroup } from '#core';
import type { Names } from '../expression/check-expression.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import { compileBody } from './body.ts';
import { compileCache } from './cache.ts';
import { compileChecks } from './checks.ts';
import type { Compiling } from './compiling.ts';
import { compileGate } from './gate.ts';
import { compileInner } from './inner-matrix.ts';
import { compileIo } from './io.ts';
import { compileMatrix, matrixTypes } from './matrix.ts';
import { compilePast } from './past.ts';
import { compileReplicas } from './replicas.ts';
import { resourcesOf } from './resources.ts';
import { compileRetries, msOf } from './retries.ts';
import type { TaskNode } from './task-node.ts';
import { executesNothing } from './wait-body.ts';
import { compileEnv, compileSecrets } from './variables.ts';

/** What the tasks of a pipeline have in common. */
export interface TaskSurroundings {
  readonly defaults: Partial<
    Pick<
      TaskShape,
      | 'retries'
      | 'timeout'
      | 'pool'
      | 'slots'
      | 'priority'
      | 'resources'
      | 'cache'
      | 'depends_on_past'
      | 'wait_for_downstream'
    >
  >;
  readonly paths: Readonly<Record<string, PathDeclaration>>;
  /** Names known everywhere in the pipeline; the task adds its own. */
  readonly names: Names;
  readonly tasks: Names['tasks'];
  readonly upstream: readonly string[];
  /** Null: the task is in none. */
  readonly group: TaskGroup | null;
}

const MOST_TASK_RUNS = 1_000;
/** Of a group with faults, which are reported. */
const ANY_AXIS = { has: () => true, [Symbol.iterator]: () => [][Symbol.iterator]() };

/** The compiled task; null when it has no usable body. All its faults are reported. */
export function compileTask(node: TaskNode, around: TaskSurroundings, compiling: Compiling): CompiledTask | null {
  const { shape, path } = node;
  if (shape === null) return null;
  const place = `task ${quote(node.id)}`;
  const known: Names = { ...around.names, place, tasks: around.tasks, runState: node.final };
  const shared = around.group?.matrix ?? null;
  const maxFanout =
    shared === null ? (shape.max_fanout ?? MOST_TASK_RUNS) : (around.group?.maxFanout ?? MOST_TASK_RUNS);
  const matrix = shared ?? compileMatrix(shape.matrix, maxFanout, [...path, 'matrix'], known, compiling);
  if (shared === null) checkMatrixKeys(node, compiling);
  const isUnclear = node.group !== null && around.group === null;
  // In a group that fans out `if` and its own matrix are asked for each item.
  const before: Names = shared === null ? known : withAxes(known, Object.keys(shared.axes), matrixTypes(shared));
  const inner = shared === null ? null : compileInner(node, shared, before, compiling);
  const axes = { ...shared?.axes, ...shape.matrix };
  const types = { ...matrixTypes(matrix), ...matrixTypes(inner?.matrix ?? null) };
  const isFannedOut = shared !== null || shape.matrix !== undefined;
  const inside: Names = isUnclear
    ? { ...known, matrix: ANY_AXIS }
    : isFannedOut
      ? withAxes(known, Object.keys(axes), types)
      : known;
  const judging: Names = { ...inside, metrics: new Set(shape.metrics), outputs: true };
  const body = compileBody(shape, path, inside, compiling);
  const env = compileEnv(shape.env, [...path, 'env'], inside, compiling);
  if (node.final && shape.when !== undefined)
    compiling.atKey(
      [...path, 'when'],
      'when has no meaning under finally, whose tasks always run.',
      'Use `if: run.state == "failed"`.',
    );
  const origin = compiling.origins(path);
  const { retries: _retries, ...inherited } = around.defaults;
  const timeout = shape.timeout ?? inherited.timeout;
  const resources = executesNothing(shape) ? undefined : (shape.resources ?? inherited.resources);
  const cache = compileCache(node, inherited.cache, compiling);
  const past = compilePast(node, inherited, compiling);
  const compiled = {
    id: node.id,
    upstream: [...around.upstream].sort(),
    when: node.final ? 'all_done' : (shape.when ?? 'all_success'),
    condition:
      shape.if === undefined ? null : compiling.expression(String(shape.if), [...path, 'if'], before, 'condition'),
    matrix,
    maxParallel: shape.max_parallel ?? 0,
    maxFanout,
    reads: node.reads,
    writes: node.writes,
    ...compileIo(node, compiling),
    retries: compileRetries(shape.retries, around.defaults.retries),
    timeoutMs: timeout === undefined ? null : msOf(timeout),
    pool: shape.pool ?? inherited.pool ?? 'default',
    slots: shape.slots ?? inherited.slots ?? 1,
    priority: shape.priority ?? inherited.priority ?? 0,
    ...(resources === undefined ? {} : { resources: resourcesOf(resources) }),
    ...compileReplicas(shape, path, compiling),
    catch: shape.catch ?? false,
    final: node.final,
    env,
    secrets: compileSecrets(shape.secrets, Object.keys(env), [...path, 'secrets'], compiling),
    metrics: [...new Set(shape.metrics)],
    ...compileChecks(shape, path, judging, compiling),
    gate: compileGate(shape, path, { ...judging, baseline: true }, compiling),
    ...(cache === undefined ? {} : { cache }),
    ...(node.group === null ? {} : { group: node.group }),
    ...(inner === null ? {} : { inner }),
    ...(past === undefined ? {} : { past }),
    ...(shape.network === true || shape.http !== undefined ? { network: true as const } : {}),
    ...(shape.verify === undefined ? {} : { tolerance: shape.verify.tolerance }),
    line: compiling.map.key(path).line,
    ...(origin.length === 0 ? {} : { origin }),
  } as const;
  return body === null ? null : { ...compiled, body };
}

function withAxes(names: Names, axes: readonly string[], types: Readonly<Record<string, string>>): Names {
  return { ...names, matrix: new Set(axes), types: { ...names.types, matrix: types } };
}

function checkMatrixKeys(node: TaskNode, compiling: Compiling): void {
  if (node.shape?.matrix !== undefined) return;
  for (const key of ['max_parallel', 'max_fanout'] as const)
    if (node.shape?.[key] !== undefined)
      compiling.atKey([...node.path, key], `${key} has no meaning without matrix.`, 'Remove it, or add `matrix:`.');
}
