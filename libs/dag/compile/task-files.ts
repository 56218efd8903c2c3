import type { FilePlace } from '#core';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { locationFault } from './locations.ts';

/** Reports a file of the release that is not a plain path below `dags/`. */
export function checkFile(file: string, place: Path, compiling: Compiling): void {
  const leaves = file.startsWith('/') || file.split('/').some((part) => part === '..' || part === '' || part === '.');
  if (leaves || !/^[\w./@+-]+$/.test(file))
    compiling.at(
      place,
      `The file ${quote(file)} is not a plain path below dags/.`,
      'Write it relative to dags/, without "..", "./" or blanks.',
    );
}

/** Where a file that the task itself writes goes: a path of its `writes`, and a name below it. */
export function savePlace(
  save: string,
  writes: readonly string[],
  example: string,
  place: Path,
  compiling: Compiling,
): FilePlace {
  const [path = '', ...rest] = save.split('/');
  const file = rest.join('/');
  if (!writes.includes(path))
    compiling.at(
      place,
      `save is ${quote(save)}, but the task writes no path ${quote(path)}.`,
      didYouMean(path, writes, `Add it to the task: \`writes: [${/^\w+$/.test(path) ? path : 'raw'}]\`.`),
    );
  if (file === '' || file.includes('${{') || locationFault(file) !== null)
    compiling.at(
      place,
      `save is ${quote(save)}; expected a path of \`writes\` and a plain file name below it.`,
      `For example: ${example}.`,
    );
  return { path, file };
}
