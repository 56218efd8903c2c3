import type { CompiledTask } from '#core';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { TaskNode } from './task-node.ts';
import { executesNothing } from './wait-body.ts';

const FOLDERS = 'Remove it: without it the variables hold folders.';

/** Whether the task reads and writes URIs of the storage; what only works with folders of this machine is reported. */
export function compileIo({ shape, path, id }: TaskNode, compiling: Compiling): Pick<CompiledTask, 'io'> {
  // What executes nothing has its keys reported all together.
  if (shape?.io !== 'uri' || executesNothing(shape)) return {};
  const refused = refusal(shape);
  if (refused !== null)
    compiling.atKey([...path, 'io'], `Task ${quote(id)} has \`io: uri\`, ${refused[0]}`, refused[1]);
  return { io: 'uri' };
}

function refusal(shape: TaskShape): [why: string, hint: string] | null {
  const { sql, http, notebook, reads, writes, checks = [] } = shape;
  if (sql !== undefined)
    return [
      'and sql tasks are shut in the folders of this machine.',
      'Remove it, or call DuckDB from `run`, `node` or `python`, with the keys that the task has as `secrets`.',
    ];
  if (http !== undefined) return ['and http writes its answer to a folder of this machine.', FOLDERS];
  if (typeof notebook === 'object' && notebook.save !== undefined)
    return [
      'and `save` writes to a folder of this machine.',
      'Remove `save`: the notebook is kept with each attempt anyway.',
    ];
  if (checks.some((check) => typeof check !== 'string' && check.expr === undefined))
    return [
      'and checks of rows look at files of this machine.',
      'Let the task count and say it as outputs, and check those: `checks: [outputs.bad == 0]`.',
    ];
  if (Object.keys(reads ?? {}).length + Object.keys(writes ?? {}).length === 0)
    return ['and it neither reads nor writes a path.', 'Remove it, or add `reads:` or `writes:`.'];
  return null;
}
