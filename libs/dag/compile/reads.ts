import type { PathDeclaration, ReadDeclaration } from '#core';
import { SluiceError } from '#core';
import { didYouMean } from '../source/did-you-mean.ts';
import { durationMs } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { ReadShape, TaskShape } from '../shape/task-shape.ts';
import type { Compiling } from './compiling.ts';

interface Declared {
  readonly pipeline: string;
  readonly paths: Readonly<Record<string, PathDeclaration>>;
  /** False: `paths:` is faulty as a whole, so nothing can be said about any name. */
  readonly usable: boolean;
}

/** The `reads:` of a task, references to other pipelines not yet followed. `writes` are the task's own. */
export function compileReads(
  shape: TaskShape['reads'],
  writes: readonly string[],
  path: Path,
  declared: Declared,
  compiling: Compiling,
): ReadDeclaration[] {
  if (shape === undefined || !declared.usable) return [];
  const entries: [key: string | number, read: ReadShape][] = Array.isArray(shape)
    ? [...shape.entries()]
    : Object.entries(shape);
  const reads: ReadDeclaration[] = [];
  for (const [key, entry] of entries) {
    const place = [...path, key];
    const read = readOf(key, entry, writes, place, declared, compiling);
    if (read === null) continue;
    if (reads.some((other) => other.alias === read.alias))
      compiling.at(
        place,
        `Two reads have the name ${quote(read.alias)}.`,
        'Write reads as a map and give one another name: { other_name: pipeline.path }.',
      );
    else reads.push(read);
  }
  return reads;
}

/** The `writes:` of a task: names of declared paths, each once. */
export function compileWrites(
  names: readonly string[],
  path: Path,
  declared: Declared,
  compiling: Compiling,
): string[] {
  const writes: string[] = [];
  if (!declared.usable) return writes;
  for (const [index, name] of names.entries()) {
    const place = [...path, index];
    if (!Object.hasOwn(declared.paths, name)) unknownPath(name, place, declared, compiling);
    else if (writes.includes(name)) compiling.at(place, `The path ${quote(name)} is written twice.`, 'Remove one.');
    else writes.push(name);
  }
  return writes;
}

function readOf(
  key: string | number,
  entry: ReadShape,
  writes: readonly string[],
  place: Path,
  declared: Declared,
  compiling: Compiling,
): ReadDeclaration | null {
  const details = typeof entry === 'string' ? { path: entry } : entry;
  const [first = '', second] = details.path.split('.');
  const [pipeline, path] = second === undefined ? [null, first] : [first, second];
  const own = pipeline === null || pipeline === declared.pipeline;
  const at = typeof entry === 'string' ? place : [...place, 'path'];
  if (own && !Object.hasOwn(declared.paths, path)) {
    unknownPath(path, at, declared, compiling);
    return null;
  }
  const last = 'last' in details && details.last !== undefined ? durationMs(details.last) : null;
  if (last === null && 'last' in details && details.last !== undefined)
    throw new SluiceError('internal', `unchecked duration ${details.last}`);
  if (own && last !== null && declared.paths[path]?.partition === null)
    compiling.at(
      [...place, 'last'],
      `The path ${quote(path)} has no partitions, so it has no window.`,
      `Declare it as { at: …, partition: ds }.`,
    );
  // A task that reads what it writes itself finds nothing there in its first run.
  const usual = !own ? 'wait' : writes.includes(path) ? 'ok' : 'fail';
  const missing = ('missing' in details ? details.missing : undefined) ?? usual;
  return { alias: typeof key === 'string' ? key : path, pipeline: own ? null : pipeline, path, lastMs: last, missing };
}

function unknownPath(name: string, place: Path, declared: Declared, compiling: Compiling): void {
  const known = Object.keys(declared.paths);
  const hint = didYouMean(
    name,
    known,
    `Declare it under \`paths:\`, or name another pipeline's path as pipeline.${name}.`,
  );
  compiling.at(place, `There is no path ${quote(name)} in this pipeline.`, hint);
}
