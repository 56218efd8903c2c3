import { z } from 'zod';
import type { CompiledPipeline, CompiledTask, Problem } from '#core';
import { Compiling } from './compile/compiling.ts';
import { buildGraph } from './compile/graph.ts';
import { compileAlerts, compileOverlays } from './compile/overlays.ts';
import { compileParams, paramTypes } from './compile/params.ts';
import { compilePaths } from './compile/paths.ts';
import { compileReads, compileWrites } from './compile/reads.ts';
import { msOf } from './compile/retries.ts';
import { compileSchedule } from './compile/schedule.ts';
import { compileTask } from './compile/task.ts';
import type { TaskNode } from './compile/task-node.ts';
import { compileEnv } from './compile/variables.ts';
import { findWriters } from './compile/writers.ts';
import type { Names } from './expression/check-expression.ts';
import { ID_EXPECTED, ID_PATTERN } from './shape/names.ts';
import { PIPELINE_KEYS, type PipelineShape } from './shape/pipeline-shape.ts';
import { checkKeys, checkShape } from './shape/shape-problems.ts';
import { taskShape } from './shape/task-shape.ts';
import { ProblemList } from './source/problem-list.ts';
import { quote } from './source/quote.ts';
import { readYaml, type YamlSource } from './source/read-yaml.ts';

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
}

/** Compiles the text of one pipeline file, `file` being its path below `dags/`. Finds all problems at once; never throws on any text. */
export function parsePipeline(file: string, text: string): ParsedPipeline {
  const { pipeline, problems } = parseFile(file, text);
  return { pipeline, problems };
}

export function parseFile(file: string, text: string): ParsedFile {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  if (source === null) return { pipeline: null, problems: problems.toArray(), name: nameOfFile(file), compiling: null };
  const compiling = new Compiling(file, source.map, problems);
  const pipeline = compile(file, source, compiling);
  const found = problems.toArray();
  return {
    pipeline: found.length === 0 ? pipeline : null,
    problems: found,
    name: pipeline?.name ?? nameOfFile(file),
    compiling,
  };
}

type Sections = { [K in keyof PipelineShape]?: PipelineShape[K] };

function compile(file: string, source: YamlSource, compiling: Compiling): CompiledPipeline | null {
  const root = source.value;
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    const message = root === null ? 'The file is empty.' : `The file holds ${quote(root)}; expected a map.`;
    compiling.at([], message, 'Begin with `name:` and `tasks:`.');
    return null;
  }
  const shape = readSections(root as Record<string, unknown>, file, compiling);
  const name = shape.name ?? nameOfFile(file);
  const params = compileParams(shape.params ?? {}, compiling);
  const names: Names = {
    place: "`paths:` and the pipeline's `env:`",
    params: new Set(Object.keys(shape.params ?? {})),
    matrix: null,
    tasks: null,
    metrics: null,
    outputs: false,
    baseline: false,
    runState: false,
    types: { params: paramTypes(params), matrix: {} },
  };
  const paths = compilePaths(shape.paths ?? {}, names, compiling);
  const tasks = compileTasks(root as Record<string, unknown>, shape, name, names, paths, compiling);
  return {
    format: 1,
    name,
    file,
    description: shape.description ?? '',
    owner: shape.owner ?? '',
    tags: [...new Set(shape.tags)],
    schedule: compileSchedule(shape.schedule, ['schedule'], compiling),
    maxActiveRuns: shape.max_active_runs ?? 16,
    maxActiveTasks: shape.max_active_tasks ?? 0,
    overlap: shape.overlap ?? 'queue',
    runTimeoutMs: shape.run_timeout === undefined ? null : msOf(shape.run_timeout),
    deadlineMs: shape.deadline === undefined ? null : msOf(shape.deadline),
    params,
    paths,
    env: compileEnv(shape.env, ['env'], names, compiling),
    tasks,
    alerts: compileAlerts(shape.alerts ?? []),
    environments: compileOverlays(shape.environments ?? {}, params, compiling),
  };
}

/** Each section is checked by itself, so that a fault in one does not hide those of the others. */
function readSections(root: Record<string, unknown>, file: string, compiling: Compiling): Sections {
  const { map, problems } = compiling;
  checkKeys(root, Object.keys(PIPELINE_KEYS), [], map, problems);
  const sections: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(PIPELINE_KEYS)) {
    if (key === 'tasks' || key === 'finally') continue;
    if (key === 'name' && root.name === undefined)
      compiling.at([], 'The pipeline has no name.', `Add \`name: ${nameOfFile(file)}\`.`);
    else if (root[key] !== undefined) sections[key] = checkShape(schema, root[key], [key], map, problems) ?? undefined;
  }
  return sections as Sections;
}

function compileTasks(
  root: Record<string, unknown>,
  shape: Sections,
  pipeline: string,
  names: Names,
  paths: CompiledPipeline['paths'],
  compiling: Compiling,
): CompiledTask[] {
  const nodes = new Map<string, TaskNode>();
  if (root.tasks === undefined) compiling.at([], 'The pipeline has no tasks.', 'Add `tasks:` with at least one task.');
  for (const section of ['tasks', 'finally'] as const)
    for (const node of readTasks(root[section], section, { pipeline, paths }, compiling)) {
      if (nodes.has(node.id))
        compiling.atKey(
          node.path,
          `The task ${quote(node.id)} stands under tasks and under finally.`,
          'Rename one of them.',
        );
      else nodes.set(node.id, node);
    }
  const writers = findWriters([...nodes.values()], paths, pipeline, compiling);
  const graph = buildGraph(nodes, writers, compiling);
  const all = new Set(nodes.keys());
  const isComplete = [...nodes.values()].every((node) => node.shape !== null);
  return graph.order.flatMap((node) => {
    // With a faulty task its edges are unknown, and what depends on them cannot be judged.
    const visible = { has: (id: string) => !isComplete || graph.runsBefore(id, node) };
    const upstream = [...(graph.upstream.get(node.id) ?? [])];
    const around = {
      defaults: shape.defaults ?? {},
      paths,
      names,
      tasks: { visible, all },
      upstream,
      final: node.final,
    };
    return compileTask(node, around, compiling) ?? [];
  });
}

function readTasks(
  value: unknown,
  section: 'tasks' | 'finally',
  declared: { pipeline: string; paths: CompiledPipeline['paths'] },
  compiling: Compiling,
): TaskNode[] {
  if (value === undefined) return [];
  const { map, problems } = compiling;
  const tasks = checkShape(
    z.record(z.string(), z.unknown(), { error: 'a map from task id to task' }),
    value,
    [section],
    map,
    problems,
  );
  const entries = Object.entries(tasks ?? {});
  if (tasks !== null && entries.length === 0)
    compiling.at(
      [section],
      `${section} is an empty map; expected at least one task.`,
      'Add a task, such as `hello: { run: echo hello }`.',
    );
  return entries.map(([id, written]) => {
    const path = [section, id];
    if (!ID_PATTERN.test(id))
      compiling.atKey(path, `The task id ${quote(id)} is not valid.`, `Expected ${ID_EXPECTED}.`);
    const shape = checkShape(taskShape, written, path, map, problems);
    const writes = shape === null ? [] : compileWrites(shape.writes ?? [], [...path, 'writes'], declared, compiling);
    const reads = shape === null ? [] : compileReads(shape.reads, writes, [...path, 'reads'], declared, compiling);
    return { id, final: section === 'finally', path, shape, reads, writes };
  });
}

function nameOfFile(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1).replace(/\.ya?ml$/i, '');
  const name = base
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63);
  return name === '' ? 'pipeline' : name;
}
