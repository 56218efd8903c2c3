import type { CompiledPipeline, Problem } from '#core';
import { compilePipeline, nameOfFile } from './compile/compile-pipeline.ts';
import { Compiling } from './compile/compiling.ts';
import { expandFile } from './reuse/expand-file.ts';
import { isMap } from './reuse/merge-over.ts';
import { Parts, type Part } from './reuse/parts.ts';
import { ProblemList } from './source/problem-list.ts';
import { quote } from './source/quote.ts';
import { readYaml } from './source/read-yaml.ts';

export interface ParsedPipeline {
  /** Null when there is any problem: a pipeline is never half loaded. */
  readonly pipeline: CompiledPipeline | null;
  /** In the order of the file. */
  readonly problems: Problem[];
}

/** A parsed file together with what the rules between files need to report where things stand. */
export interface ParsedFile extends ParsedPipeline {
  /** Also of a file with problems, as far as one can tell. */
  readonly name: string;
  readonly compiling: Compiling | null;
  readonly parts: readonly Part[];
}

/** Compiles the text of one pipeline file that has no parts, `file` being its path below `dags/`. Finds all problems at once; never throws on any text. */
export function parsePipeline(file: string, text: string): ParsedPipeline {
  const { pipeline, problems } = parseFile(file, text);
  return { pipeline, problems };
}

export function parseFile(file: string, text: string, known: Parts = new Parts([])): ParsedFile {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  const expanded = source === null ? null : expandFile(file, source, known, problems);
  if (expanded === null)
    return { pipeline: null, problems: problems.toArray(), name: nameOfFile(file), compiling: null, parts: [] };
  const { value, map, parts } = expanded;
  const compiling = new Compiling(file, map, problems);
  const pipeline = isMap(value) ? compilePipeline(value, compiling) : null;
  if (pipeline === null) {
    const message = value === null ? 'The file is empty.' : `The file holds ${quote(value)}; expected a map.`;
    compiling.at([], message, 'Begin with `name:` and `tasks:`.');
  }
  const found = problems.toArray();
  const name = pipeline?.name ?? nameOfFile(file);
  return { pipeline: found.length === 0 ? pipeline : null, problems: found, name, compiling, parts };
}
