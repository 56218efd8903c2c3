import type { PathDeclaration } from '#core';
import type { Names } from '../expression/check-expression.ts';
import type { PathShape } from '../shape/pipeline-shape.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { Entries } from './sections.ts';
import { locationFault } from './locations.ts';

/** The declarations under `paths:`; faulty ones are reported and kept, so that their names stay known. */
export function compilePaths(
  section: Entries<PathShape>,
  names: Names,
  compiling: Compiling,
): Record<string, PathDeclaration> {
  const paths: Record<string, PathDeclaration> = {};
  for (const [name, shape] of Object.entries(section.entries)) {
    if (shape === null) {
      // Shared and with partitions: then no rule about paths has anything to say about it.
      paths[name] = { at: '', shared: true, partition: 'ds' };
      continue;
    }
    const isText = typeof shape === 'string';
    const at = isText ? shape : shape.at;
    const place = isText ? ['paths', name] : ['paths', name, 'at'];
    const fault = locationFault(at);
    if (fault !== null)
      compiling.at(
        place,
        `The location ${quote(at)} of path ${quote(name)} is not valid: ${fault.message}.`,
        fault.hint,
      );
    else compiling.checkTemplate(at, place, names);
    paths[name] = {
      at,
      shared: isText ? false : (shape.shared ?? false),
      partition: isText ? null : (shape.partition ?? null),
    };
  }
  return paths;
}
