import type { z } from 'zod';
import { ID_EXPECTED, ID_PATTERN } from '../shape/names.ts';
import {
  overlayShape,
  paramShape,
  pathShape,
  PIPELINE_KEYS,
  type OverlayShape,
  type ParamShape,
  type PathShape,
  type PipelineShape,
} from '../shape/pipeline-shape.ts';
import { checkKeys, checkShape } from '../shape/shape-problems.ts';
import { taskShape, type TaskShape } from '../shape/task-shape.ts';
import { groupShape, type GroupShape } from '../shape/group-shape.ts';
import { labelOf } from '../shape/label.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';

/** A map section whose entries were checked one by one, so that a fault in one hides neither the others nor its own name. */
export interface Entries<T> {
  /** Null: the entry has faults, which are reported. */
  readonly entries: Readonly<Record<string, T | null>>;
  /** False: not even a map, so any name may have been meant to stand in it. */
  readonly usable: boolean;
}

/** Names for "does it exist" and "did you mean". */
export interface KnownNames extends Iterable<string> {
  has(name: string): boolean;
}

export function namesOf(section: Entries<unknown>): KnownNames {
  if (section.usable) return new Set(Object.keys(section.entries));
  return { has: () => true, [Symbol.iterator]: () => [][Symbol.iterator]() };
}

type SimpleKey = Exclude<
  keyof PipelineShape,
  'params' | 'paths' | 'environments' | 'groups' | 'first' | 'tasks' | 'finally'
>;

export interface Sections {
  /** Sections without entries; one with faults is absent. */
  readonly simple: Partial<Pick<PipelineShape, SimpleKey>>;
  readonly params: Entries<ParamShape>;
  readonly paths: Entries<PathShape>;
  readonly environments: Entries<OverlayShape>;
  readonly groups: Entries<GroupShape>;
  readonly first: Entries<TaskShape>;
  readonly tasks: Entries<TaskShape>;
  readonly finally: Entries<TaskShape>;
}

/** Checks the shape of a whole file, section by section. */
export function readSections(root: Readonly<Record<string, unknown>>, compiling: Compiling): Sections {
  checkKeys(root, Object.keys(PIPELINE_KEYS), [], compiling.map, compiling.problems);
  const entries = <T extends z.ZodType>(key: keyof PipelineShape, schema: T) =>
    readEntries(root[key], key, schema, compiling);
  const sections = {
    params: entries('params', paramShape),
    paths: entries('paths', pathShape),
    environments: entries('environments', overlayShape),
    groups: entries('groups', groupShape),
    first: entries('first', taskShape),
    tasks: entries('tasks', taskShape),
    finally: entries('finally', taskShape),
  };
  const simple: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(PIPELINE_KEYS)) {
    if (key in sections || root[key] === undefined) continue;
    simple[key] = checkShape(schema, root[key], [key], compiling.map, compiling.problems) ?? undefined;
  }
  return { simple, ...sections };
}

function readEntries<T extends z.ZodType>(
  value: unknown,
  key: keyof PipelineShape,
  schema: T,
  compiling: Compiling,
): Entries<z.infer<T>> {
  const { map, problems } = compiling;
  if (value === undefined) return { entries: {}, usable: true };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    checkShape(PIPELINE_KEYS[key], value, [key], map, problems);
    return { entries: {}, usable: false };
  }
  const entries: Record<string, z.infer<T> | null> = {};
  for (const [name, entry] of Object.entries(value)) {
    const isNamed = key === 'environments' ? /^[a-z][a-z0-9_-]{0,62}$/.test(name) : ID_PATTERN.test(name);
    if (!isNamed)
      compiling.atKey([key, name], `${labelOf([key])}: the name ${quote(name)} is not valid.`, `Use ${ID_EXPECTED}.`);
    entries[name] = checkShape(schema, entry, [key, name], map, problems);
  }
  return { entries, usable: true };
}
