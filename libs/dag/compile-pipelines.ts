import type { CompiledPipeline, Problem } from '#core';
import { filesOf } from './compile/body.ts';
import { checkCalls } from './compile/call-references.ts';
import { globMatches } from './compile/needs.ts';
import { checkTriggers } from './compile/trigger-references.ts';
import { ownFiles } from './own-files.ts';
import { parseFile, type ParsedFile } from './parse-pipeline.ts';
import { readPluginFolders } from './plugin/plugin-folders.ts';
import { checkPlugins, withPlugins } from './plugin/use-plugins.ts';
import { isPart, PART_OF_ALL, Parts } from './reuse/parts.ts';
import { didYouMean } from './source/did-you-mean.ts';
import { quote } from './source/quote.ts';
import { isTestFile } from './test-file/parse-tests.ts';

export interface PipelineFile {
  /** Path below `dags/`, with forward slashes. */
  readonly file: string;
  readonly text: string;
}

export interface CompiledPipelines {
  /** Those without problems, by name. */
  readonly pipelines: CompiledPipeline[];
  /** Of every pipeline file that has some, those in its parts included; of parts only when no pipeline has them. */
  readonly problems: ReadonlyMap<string, Problem[]>;
}

/** Files that an earlier call found without problems, by file. Each call brings it up to date. */
export type CompiledBefore = Map<string, FoundGood>;

interface FoundGood {
  readonly text: string;
  /** Texts of the parts that it had then, by file. */
  readonly parts: ReadonlyMap<string, string>;
  readonly pipeline: CompiledPipeline;
}

/**
 * Compiles all pipeline files together, those of `tests/` apart: names are unique, reads of other pipelines and what
 * starts runs exist, and so do the files that tasks name (when `knownFiles`, paths below `dags/`, is given); plugins take
 * what they are given. A file with problems takes nothing away from others: reads of a pipeline that is broken are
 * accepted unseen. Files whose names begin with `_` are parts of pipelines; `ownFiles` says which YAML is none of ours. With the `before` of an earlier call only
 * files whose text or parts changed are parsed, and the others' pipelines are the same objects; the result is the same.
 */
export function compilePipelines(
  files: readonly PipelineFile[],
  knownFiles?: ReadonlySet<string>,
  before: CompiledBefore = new Map(),
): CompiledPipelines {
  const {
    plugins,
    others,
    problems: pluginProblems,
  } = readPluginFolders(
    ownFiles(files).filter(({ file }) => !isTestFile(file)),
    knownFiles,
  );
  const parts = new Parts(others);
  const ordered = others.filter(({ file }) => !isPart(file)).sort((a, b) => (a.file < b.file ? -1 : 1));
  const compiled = ordered.map((file) => new CompiledFile(file, parts, before.get(file.file)));
  const known = byName(compiled);
  for (const { pipeline, compiling } of compiled) {
    if (pipeline === null) continue;
    if (knownFiles !== undefined) checkFiles(pipeline, knownFiles, compiling);
    checkPlugins(pipeline, plugins, compiling);
    checkReads(pipeline, known, compiling);
    checkWaits(pipeline, known, compiling);
    checkCalls(pipeline, known, compiling);
    checkSharedPaths(pipeline, known, compiling);
  }
  checkTriggers(
    compiled.flatMap(({ pipeline, compiling }) => (pipeline === null ? [] : [{ pipeline, compiling }])),
    known,
  );
  const problems = new Map(pluginProblems);
  const pipelines: CompiledPipeline[] = [];
  before.clear();
  for (const { file, pipeline, parts: had, found } of compiled) {
    if (found().length > 0) problems.set(file.file, found());
    else if (pipeline !== null) {
      pipelines.push(withPlugins(pipeline, plugins));
      before.set(file.file, { text: file.text, parts: had, pipeline });
    }
  }
  for (const found of parts.problemsOfUnread()) if (found[0] !== undefined) problems.set(found[0].file, found);
  return { pipelines: pipelines.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

type Compiling = NonNullable<ParsedFile['compiling']>;

/** A file and its pipeline. Positions cost far more memory than a pipeline, so they are kept only where there are problems. */
class CompiledFile {
  readonly file: PipelineFile;
  readonly pipeline: CompiledPipeline | null;
  readonly name: string;
  readonly parts: ReadonlyMap<string, string>;
  readonly #known: Parts;
  #parsed: ParsedFile | null = null;

  constructor(file: PipelineFile, known: Parts, before: FoundGood | undefined) {
    this.file = file;
    this.#known = known;
    if (before !== undefined && isUnchanged(before, file, known)) {
      this.pipeline = before.pipeline;
      this.name = before.pipeline.name;
      this.parts = before.parts;
      return;
    }
    const parsed = parseFile(file.file, file.text, known);
    this.pipeline = parsed.pipeline;
    this.name = parsed.name;
    this.parts = new Map(parsed.parts.map((part) => [part.file, part.text]));
    if (parsed.pipeline === null) this.#parsed = parsed;
  }

  /** Where problems of rules between files are reported; only of a file that has a pipeline. Parses it once more. */
  readonly compiling = (): Compiling => {
    this.#parsed ??= parseFile(this.file.file, this.file.text, this.#known);
    return this.#parsed.compiling as Compiling;
  };

  readonly found = (): Problem[] => {
    if (this.#parsed === null) return [];
    return this.#parsed.compiling === null ? this.#parsed.problems : this.#parsed.compiling.problems.toArray();
  };
}

function isUnchanged(before: FoundGood, { text }: PipelineFile, known: Parts): boolean {
  if (before.text !== text || before.parts.has(PART_OF_ALL) !== (known.textOf(PART_OF_ALL) !== null)) return false;
  return [...before.parts].every(([file, part]) => known.textOf(file) === part);
}

/** Pipelines by name; null for those whose file has problems. The second file with a name gets a problem. */
function byName(compiled: readonly CompiledFile[]): Map<string, CompiledPipeline | null> {
  const known = new Map<string, CompiledPipeline | null>();
  for (const { pipeline, compiling } of compiled) {
    if (pipeline === null) continue;
    const other = known.get(pipeline.name);
    if (other === undefined || other === null) known.set(pipeline.name, pipeline);
    else
      compiling().at(
        ['name'],
        `The name ${quote(pipeline.name)} is taken by ${other.file}.`,
        'Give each pipeline a name of its own.',
      );
  }
  for (const { name, pipeline } of compiled) if (pipeline === null && !known.has(name)) known.set(name, null);
  return known;
}

function checkFiles(pipeline: CompiledPipeline, knownFiles: ReadonlySet<string>, compiling: () => Compiling): void {
  for (const task of pipeline.tasks) {
    for (const file of filesOf(task.body)) {
      if (knownFiles.has(file)) continue;
      const message = `Task ${quote(task.id)} names the file ${quote(file)}, which does not exist below dags/.`;
      compiling().at(
        [sectionOf(task, compiling()), task.id, task.body.kind],
        message,
        didYouMean(file, knownFiles, 'Create it, or correct the path.'),
      );
    }
    for (const glob of task.cache?.files ?? []) {
      if ([...knownFiles].some((file) => globMatches(glob, file))) continue;
      const place = [sectionOf(task, compiling()), task.id, 'cache'];
      compiling().at(
        compiling().map.has(place) ? place : ['defaults', 'cache'],
        `The result of task ${quote(task.id)} depends on the files ${quote(glob)}, but none below dags/ is called so.`,
        didYouMean(glob, knownFiles, 'Create one, or correct the path.'),
      );
    }
  }
}

function checkReads(
  pipeline: CompiledPipeline,
  known: ReadonlyMap<string, CompiledPipeline | null>,
  compiling: () => Compiling,
): void {
  for (const task of pipeline.tasks) {
    for (const read of task.reads) {
      if (read.pipeline === null) continue;
      const place = () => readPlace(task, read.alias, compiling());
      const other = known.get(read.pipeline);
      const reference = quote(`${read.pipeline}.${read.path}`);
      if (other === null) continue;
      if (other === undefined) {
        const message = `Task ${quote(task.id)} reads ${reference}, but there is no pipeline ${quote(read.pipeline)}.`;
        compiling().at(place(), message, didYouMean(read.pipeline, known.keys(), 'Add its file, or correct the name.'));
        continue;
      }
      const path = other.paths[read.path];
      if (path === undefined || !Object.hasOwn(other.paths, read.path)) {
        const message = `Task ${quote(task.id)} reads ${reference}, but ${other.file} declares no such path.`;
        compiling().at(
          place(),
          message,
          didYouMean(read.path, Object.keys(other.paths), 'Declare it there under `paths:`.'),
        );
      } else if (read.lastMs !== null && path.partition === null)
        compiling().at(
          place(),
          `Task ${quote(task.id)} reads a window of ${reference}, which has no partitions.`,
          `Declare it in ${other.file} as { at: …, partition: ds }.`,
        );
    }
  }
}

/** What a task waits for of another pipeline exists there. */
function checkWaits(
  pipeline: CompiledPipeline,
  known: ReadonlyMap<string, CompiledPipeline | null>,
  compiling: () => Compiling,
): void {
  for (const task of pipeline.tasks) {
    const condition = task.body.kind === 'wait' ? task.body.condition : null;
    if (condition?.kind !== 'dataset' && condition?.kind !== 'run') continue;
    const place = (): (string | number)[] => [sectionOf(task, compiling()), task.id, 'wait', condition.kind];
    const other = known.get(condition.pipeline);
    const waits = `Task ${quote(task.id)} waits for ${condition.kind === 'run' ? 'a run' : quote(`${condition.pipeline}.${condition.path}`)}`;
    if (condition.pipeline === pipeline.name)
      compiling().at(
        place(),
        `${waits} of its own pipeline.`,
        'Use `needs`, or `reads` with `last:` for earlier intervals.',
      );
    else if (other === undefined) {
      const message = `${waits}, but there is no pipeline ${quote(condition.pipeline)}.`;
      compiling().at(
        place(),
        message,
        didYouMean(condition.pipeline, known.keys(), 'Add its file, or correct the name.'),
      );
    } else if (condition.kind === 'dataset' && other !== null && !Object.hasOwn(other.paths, condition.path)) {
      const message = `${waits}, but ${other.file} declares no such path.`;
      const hint = didYouMean(condition.path, Object.keys(other.paths), 'Declare it there under `paths:`.');
      compiling().at(place(), message, hint);
    }
  }
}

/** A shared path lies beside the folders of the pipelines and must not lie in one. */
function checkSharedPaths(
  pipeline: CompiledPipeline,
  known: ReadonlyMap<string, CompiledPipeline | null>,
  compiling: () => Compiling,
): void {
  for (const [name, { at, shared }] of Object.entries(pipeline.paths)) {
    const first = at.split('/')[0] ?? '';
    if (shared && first !== pipeline.name && known.has(first))
      compiling().at(
        ['paths', name],
        `The shared path ${quote(name)} lies in the folder of pipeline ${quote(first)}.`,
        'Choose a folder that is not the name of a pipeline.',
      );
  }
}

function readPlace(task: CompiledPipeline['tasks'][number], alias: string, compiling: Compiling): (string | number)[] {
  const reads = [sectionOf(task, compiling), task.id, 'reads'];
  const asMap = compiling.map.has([...reads, alias]);
  return [...reads, asMap ? alias : task.reads.findIndex((read) => read.alias === alias)];
}

function sectionOf({ id, final }: CompiledPipeline['tasks'][number], { map }: Compiling): string {
  if (final) return 'finally';
  return map.has(['first', id]) ? 'first' : 'tasks';
}
