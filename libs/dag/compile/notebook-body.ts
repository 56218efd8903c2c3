import type { TaskBody } from '#core';
import type { Names } from '../expression/check-expression.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { checkFile, savePlace } from './task-files.ts';

/** A notebook of the release, and what is injected into it. */
export function notebookBody(shape: TaskShape, place: Path, names: Names, compiling: Compiling): TaskBody {
  const written = shape.notebook ?? '';
  const { file, params = {}, save } = typeof written === 'string' ? { file: written } : written;
  const at = typeof written === 'string' ? place : [...place, 'file'];
  if (!file.endsWith('.ipynb'))
    compiling.at(
      at,
      `notebook is ${quote(file)}; expected a .ipynb file.`,
      'Write for example reports/daily.ipynb, or `python:` for a script.',
    );
  else checkFile(file, at, compiling);
  compiling.checkTree(params, [...place, 'params'], names);
  return {
    kind: 'notebook',
    file,
    params,
    save:
      save === undefined
        ? null
        : savePlace(save, shape.writes ?? [], 'report/daily.ipynb', [...place, 'save'], compiling),
  };
}
