import { PIPELINE_KEYS } from '../shape/pipeline-shape.ts';
import { checkShape } from '../shape/shape-problems.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { ProblemList } from '../source/problem-list.ts';
import { quote } from '../source/quote.ts';
import type { YamlSource } from '../source/read-yaml.ts';
import type { Places } from '../source/source-map.ts';
import { isMap, mergeOver } from './merge-over.ts';
import { LayeredMap, type Layer } from './layered-map.ts';
import { PART_OF_ALL, type Part, type Parts } from './parts.ts';

export interface Expanded {
  readonly value: unknown;
  readonly map: Places;
  /** Those that the file is made of besides itself. */
  readonly parts: readonly Part[];
}

interface SourceLayer extends Layer {
  readonly value: Readonly<Record<string, unknown>>;
}

/** Parts of parts; a reader should not have to open more. */
const MOST_PARTS = 5;

const SECTIONS = ['first', 'tasks', 'finally'] as const;

/**
 * The file as if everything that its parts hold were written in it: `_all.yaml` lowest, then what it extends, then the
 * file. Null when a part is missing or broken, which is reported.
 */
export function expandFile(
  file: string,
  { value, map }: YamlSource,
  parts: Parts,
  problems: ProblemList,
): Expanded | null {
  if (!isMap(value)) return { value, map, parts: [] };
  const own = { file, value, map };
  const expansion = new Expansion(file, parts, problems);
  const extended = expansion.extendedBy(own);
  const isGiven = extended?.some((layer) => layer.file === PART_OF_ALL) ?? false;
  const ofAll = isGiven ? [] : expansion.withExtended(PART_OF_ALL, [file]);
  if (extended === null || ofAll === null) return null;
  const layers = [own, ...extended, ...ofAll];
  if (layers.length === 1) return { value, map, parts: [] };
  checkKept(file, layers, problems);
  return {
    value: layers.map((layer) => layer.value).reduceRight((below, above) => mergeOver(below, above)),
    map: new LayeredMap(file, layers),
    parts: layers.slice(1).flatMap((layer) => parts.get(layer.file) ?? []),
  };
}

class Expansion {
  constructor(
    private readonly file: string,
    private readonly parts: Parts,
    private readonly problems: ProblemList,
  ) {}

  /** What `layer` extends, nearest first; null when that cannot be said. */
  extendedBy(layer: SourceLayer, before: readonly string[] = []): SourceLayer[] | null {
    const { extends: written } = layer.value;
    if (written === undefined) return [];
    const places = new LayeredMap(this.file, [layer]);
    const refused = (message: string, hint: string): null => {
      this.problems.add(places.value(['extends']), message, hint);
      return null;
    };
    const name = checkShape(PIPELINE_KEYS.extends, written, ['extends'], places, this.problems);
    if (name === null || name === undefined) return null;
    const chain = [...before, layer.file];
    const way = [...chain, name].join(' -> ');
    if (chain.includes(name)) return refused(`Parts extend each other: ${way}.`, 'Remove one of these `extends`.');
    if (chain.length > MOST_PARTS)
      return refused(`More than ${MOST_PARTS} parts in a row: ${way}.`, 'Put some of them together.');
    if (this.parts.textOf(name) === null) {
      const hint = didYouMean(name, this.parts.names(), 'Create it, or correct the path.');
      return refused(`The part ${quote(name)} does not exist below dags/.`, hint);
    }
    return this.withExtended(name, chain);
  }

  /** A part and what it extends. */
  withExtended(name: string, before: readonly string[]): SourceLayer[] | null {
    const part = this.parts.get(name);
    if (part === null) return [];
    this.problems.addAll(part.problems);
    if (part.source === null || part.problems.length > 0) return null;
    const { value, map } = part.source;
    const places = new LayeredMap(this.file, [{ file: name, map }]);
    if (!isMap(value)) {
      const message = value === null ? 'The part is empty.' : `The part holds ${quote(value)}; expected a map.`;
      this.problems.add(places.value([]), message, 'Write keys of a pipeline in it, such as `defaults:`.');
      return null;
    }
    if (value.name !== undefined)
      this.problems.add(places.key(['name']), 'A part has no name.', 'Remove it: each pipeline has its own.');
    const layer = { file: name, value, map };
    const rest = this.extendedBy(layer, before);
    return rest === null ? null : [layer, ...rest];
  }
}

/** What every pipeline is given stays as it is given, so that whoever relies on it can. */
function checkKept(file: string, layers: readonly SourceLayer[], problems: ProblemList): void {
  const from = layers.findIndex((layer) => layer.file === PART_OF_ALL);
  if (from < 0) return;
  const given = new Set(
    layers.slice(from).flatMap(({ value }) => SECTIONS.flatMap((section) => idsIn(value[section]))),
  );
  for (const layer of layers.slice(0, from)) {
    const places = new LayeredMap(file, [layer]);
    for (const section of SECTIONS) {
      if (layer.value[section] === null && layers.slice(from).some(({ value }) => idsIn(value[section]).length > 0)) {
        const message = `${PART_OF_ALL} gives every pipeline tasks under ${section}, which cannot be taken away.`;
        problems.add(places.key([section]), message, 'Remove the key, or put tasks under it.');
      }
      for (const id of idsIn(layer.value[section])) {
        if (!given.has(id)) continue;
        const message = `Task ${quote(id)} is given to every pipeline by ${PART_OF_ALL} and cannot be changed here.`;
        problems.add(places.key([section, id]), message, 'Give this task another id.');
      }
    }
  }
}

function idsIn(section: unknown): string[] {
  return isMap(section) ? Object.keys(section) : [];
}
