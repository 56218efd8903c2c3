import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';

/** A place as people write it: `tasks.load.retries`, `alerts[0].on`; the file itself when empty. */
export function labelOf(path: Path): string {
  if (path.length === 0) return 'The file';
  let label = '';
  for (const member of path) {
    if (typeof member === 'number') label += `[${member}]`;
    else label += /^[\w-]{1,63}$/.test(member) ? `${label === '' ? '' : '.'}${member}` : `[${quote(member)}]`;
  }
  return label;
}
