import type { CompiledTask } from '#core';
import type { Names } from '../expression/check-expression.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { limitsOf } from './wait-body.ts';

export function compileGate(shape: TaskShape, path: Path, names: Names, compiling: Compiling): CompiledTask['gate'] {
  const { gate } = shape;
  if (gate === undefined) return null;
  const place = [...path, 'gate'];
  if (typeof gate === 'string') return { expr: compiling.expression(gate, place, names, 'condition'), onFail: 'fail' };
  const expr = compiling.expression(gate.expr, [...place, 'expr'], names, 'condition');
  const onFail = gate.on_fail ?? 'fail';
  if (onFail === 'needs_approval')
    return { expr, onFail, asks: { groups: [...new Set(gate.groups)], ...limitsOf(gate, null) } };
  for (const key of ['groups', 'timeout', 'on_timeout'] as const)
    if (gate[key] !== undefined)
      compiling.atKey(
        [...place, key],
        `${key} has no meaning with on_fail: ${onFail}, which asks nobody.`,
        'Remove it, or write `on_fail: needs_approval`.',
      );
  return { expr, onFail };
}
