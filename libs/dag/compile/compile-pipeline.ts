import type { CompiledPipeline } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { compileTasks } from './compile-tasks.ts';
import type { Compiling } from './compiling.ts';
import { compileAlerts, compileOverlays } from './overlays.ts';
import { compileParams, paramTypes } from './params.ts';
import { checkPast } from './past.ts';
import { compilePaths } from './paths.ts';
import { msOf } from './retries.ts';
import { compileSchedule } from './schedule.ts';
import { namesOf, readSections } from './sections.ts';
import { compileEnv } from './variables.ts';

/** The compiled form of a file's value. With problems reported on the way it is incomplete and must not be used. */
export function compilePipeline(root: Readonly<Record<string, unknown>>, compiling: Compiling): CompiledPipeline {
  const { file } = compiling;
  const sections = readSections(root, compiling);
  const { simple } = sections;
  if (root.name === undefined) compiling.at([], 'The pipeline has no name.', `Add \`name: ${nameOfFile(file)}\`.`);
  const name = simple.name ?? nameOfFile(file);
  const params = compileParams(sections.params, compiling);
  const names: Names = {
    place: "`paths:` and the pipeline's `env:`",
    params: namesOf(sections.params),
    matrix: null,
    tasks: null,
    metrics: null,
    outputs: false,
    baseline: false,
    runState: false,
    types: { params: paramTypes(params), matrix: {} },
  };
  const about = { pipeline: name, params, known: namesOf(sections.params) };
  const paths = compilePaths(sections.paths, names, compiling);
  const pipeline: CompiledPipeline = {
    format: 1,
    name,
    file,
    description: simple.description ?? '',
    owner: simple.owner ?? '',
    tags: [...new Set(simple.tags)],
    schedule: compileSchedule(simple.schedule, ['schedule'], about, compiling),
    maxActiveRuns: simple.max_active_runs ?? 16,
    maxActiveTasks: simple.max_active_tasks ?? 0,
    overlap: simple.overlap ?? 'queue',
    ...(simple.max_consecutive_failed_runs === undefined
      ? {}
      : { maxConsecutiveFailedRuns: simple.max_consecutive_failed_runs }),
    runTimeoutMs: simple.run_timeout === undefined ? null : msOf(simple.run_timeout),
    deadlineMs: simple.deadline === undefined ? null : msOf(simple.deadline),
    params,
    paths,
    env: compileEnv(simple.env, ['env'], names, compiling),
    tasks: compileTasks(sections, { pipeline: name, paths, names }, compiling),
    alerts: compileAlerts(simple.alerts ?? []),
    environments: compileOverlays(sections.environments, about, compiling),
  };
  checkPast(pipeline, sections, compiling);
  return pipeline;
}

/** The name that a file without one most likely wants. */
export function nameOfFile(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1).replace(/\.ya?ml$/i, '');
  const name = base
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63);
  return name === '' ? 'pipeline' : name;
}
