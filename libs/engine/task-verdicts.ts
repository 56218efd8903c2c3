import type { CompiledTask, Matrix, Prepared, Resources } from '#core';
import { exceedsMachine, missingPool, neverFits } from '#core';
import type { Scope } from '#dag';
import { evaluate, expandMatrix } from '#dag';
import type { MapItem } from './graph-of.ts';
import type { OwnedRun } from './owned-run.ts';
import { taskScope } from './scope.ts';

/** What can be said of a task before anything is looked up: its condition, its limits, its fan-out. */

/** Null: there is no condition, or it holds. */
export function conditionVerdict({ condition }: CompiledTask, scope: () => Scope): Prepared | null {
  if (condition === null) return null;
  const verdict = evaluate(condition, scope());
  if (!verdict.ok)
    return { kind: 'fail', reason: `its condition \`${condition}\` cannot be evaluated: ${verdict.message}` };
  if (typeof verdict.value !== 'boolean')
    return {
      kind: 'fail',
      reason: `its condition \`${condition}\` gave ${JSON.stringify(verdict.value)}; true or false was expected`,
    };
  return verdict.value ? null : { kind: 'skip', reason: `its condition \`${condition}\` is false` };
}

/** What would wait for ever says so instead. */
export function limitProblem(
  task: CompiledTask,
  { environment: { config } }: OwnedRun,
  machine: Resources,
): string | null {
  return missingPool(task, config) ?? neverFits(task, config) ?? exceedsMachine(task, machine);
}

export function expandFanOut(
  task: CompiledTask,
  run: OwnedRun,
  taskIndex: number,
): { ok: true; items: readonly MapItem[] | null } | { ok: false; message: string } {
  if (task.matrix === null) return { ok: true, items: null };
  const literal = run.plan.literalItems[taskIndex];
  if (literal) return { ok: true, items: literal };
  return expandList(task.matrix, task.maxFanout, taskScope(run, taskIndex, null));
}

export function expandList(
  matrix: Matrix,
  maxFanout: number,
  scope: Scope,
): { ok: true; items: readonly MapItem[] } | { ok: false; message: string } {
  let problem: string | null = null;
  const expanded = expandMatrix(matrix, (expr) => {
    const value = evaluate(expr, scope);
    if (value.ok) return value.value;
    problem ??= `its matrix \`${expr}\` cannot be evaluated: ${value.message}`;
    return [];
  });
  if (problem !== null) return { ok: false, message: problem };
  if (!expanded.ok) return expanded;
  if (expanded.items.length > maxFanout)
    return { ok: false, message: `its fan-out has ${expanded.items.length} items, max_fanout is ${maxFanout}` };
  return { ok: true, items: expanded.items };
}
