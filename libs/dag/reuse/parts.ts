import type { Problem } from '#core';
import { ProblemList } from '../source/problem-list.ts';
import { readYaml, type YamlSource } from '../source/read-yaml.ts';

/** The part that every pipeline has. */
export const PART_OF_ALL = '_all.yaml';

/** True for files that hold what pipelines have in common and are none themselves: their names begin with `_`. */
export function isPart(file: string): boolean {
  return file.slice(file.lastIndexOf('/') + 1).startsWith('_');
}

export interface Part {
  readonly file: string;
  readonly text: string;
  /** Null: the text has faults. */
  readonly source: YamlSource | null;
  readonly problems: readonly Problem[];
}

/** The parts among the files that are compiled together; each is read once, however many pipelines have it. */
export class Parts {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #read = new Map<string, Part>();

  constructor(files: readonly { readonly file: string; readonly text: string }[]) {
    this.#texts = new Map(files.filter(({ file }) => isPart(file)).map(({ file, text }) => [file, text]));
  }

  get(file: string): Part | null {
    const text = this.#texts.get(file);
    if (text === undefined) return null;
    let part = this.#read.get(file);
    if (part === undefined) this.#read.set(file, (part = readPart(file, text)));
    return part;
  }

  textOf(file: string): string | null {
    return this.#texts.get(file) ?? null;
  }

  names(): string[] {
    return [...this.#texts.keys()].sort();
  }

  /** Of parts that no pipeline asked for, so that a broken one is seen before it is used. */
  problemsOfUnread(): Problem[][] {
    return this.names().flatMap((file) => (this.#read.has(file) ? [] : [[...(this.get(file)?.problems ?? [])]]));
  }
}

function readPart(file: string, text: string): Part {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  return { file, text, source, problems: problems.toArray() };
}
