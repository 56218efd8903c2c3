import type { CompiledTask } from '#core';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { TaskNode } from './task-node.ts';

/**
 * Whether results of the task are taken from earlier runs. What the defaults say holds only where it makes sense: not
 * for tasks under `finally:`, and not for those that read from elsewhere than their paths.
 */
export function compileCache(
  { shape, path, final, id }: TaskNode,
  inherited: TaskShape['cache'],
  compiling: Compiling,
): CompiledTask['cache'] {
  const own = shape?.cache;
  const isAsked = own !== undefined && own !== false;
  if (isAsked && final)
    compiling.atKey(
      [...path, 'cache'],
      `Task ${quote(id)} stands under finally, whose tasks always run; cache has no meaning there.`,
      'Remove it.',
    );
  const reachesOut = shape?.network === true || shape?.http !== undefined;
  if (isAsked && reachesOut)
    compiling.atKey(
      [...path, 'cache'],
      `Task ${quote(id)} has a cache, and ${shape?.http === undefined ? 'network' : 'http'}: nothing tells whether what it reads elsewhere has changed.`,
      'Remove one of them.',
    );
  const wanted = own ?? inherited ?? false;
  if (wanted === false || final || reachesOut) return undefined;
  return { files: wanted === true ? null : [...new Set(wanted.files)] };
}
