import { join } from 'node:path';
import type { CompiledPipeline } from '#core';
import type { PipelineTest, RunTest } from '#dag';
import type { TestFailure, TestWorld } from '#engine';
import type { Project } from '../project/project.ts';
import { Golden } from './golden.ts';
import type { TestedResult } from './tested-result.ts';

export interface RunTestsOptions {
  readonly project: Project;
  readonly pipelines: readonly CompiledPipeline[];
  /** Write golden results instead of comparing with them. */
  readonly update: boolean;
  readonly onResult: (result: TestedResult) => void;
}

/** Runs tests one after the other. Only those with a task that is really executed have files and start processes. */
export async function runTests(tests: readonly PipelineTest[], options: RunTestsOptions): Promise<TestedResult[]> {
  const golden = new Golden(options.project, options.update);
  const results: TestedResult[] = [];
  for (const test of tests) {
    const began = performance.now();
    const failures = await runTest(test, golden, options);
    const placed = failures.map(({ path, message }) => ({ ...test.place(path), message }));
    const result = { test, failures: placed, ms: Math.round(performance.now() - began) };
    results.push(result);
    options.onResult(result);
  }
  await golden.save(tests);
  return results;
}

async function runTest(test: PipelineTest, golden: Golden, options: RunTestsOptions): Promise<TestFailure[]> {
  const { body } = test;
  const { judgeFires, simulateFires } = await import('#engine');
  if (body.kind === 'fires') return judgeFires(body, simulateFires(test, body));
  const { root } = options.project;
  const data = Object.entries(body.data).map(([name, folder]) => [name, join(root, 'dags', folder)]);
  const config = { ...test.environment.data, ...(Object.fromEntries(data) as Record<string, string>) };
  const within: PipelineTest = { ...test, environment: { ...test.environment, data: config } };
  return withWorld(within, body, root, (world) => runIn(world, within, body, golden, options));
}

async function runIn(
  world: TestWorld,
  test: PipelineTest,
  body: RunTest,
  golden: Golden,
  { pipelines }: RunTestsOptions,
): Promise<TestFailure[]> {
  const { judgeLook, simulateTest } = await import('#engine');
  try {
    const { looks, end } = await simulateTest(test, body, pipelines, world);
    const failures = looks.flatMap(({ expected, seen }) => judgeLook(expected, seen, test));
    return body.golden ? [...failures, ...(await golden.compare(test, end))] : failures;
  } catch (error) {
    // What is given or executed may fail in ways that no file says; the other tests go on.
    return [{ path: [], message: error instanceof Error ? error.message : String(error) }];
  }
}

async function withWorld<T>(
  { environment }: PipelineTest,
  { outcomes }: RunTest,
  root: string,
  use: (world: TestWorld) => Promise<T>,
): Promise<T> {
  const isReal = [...outcomes.values()].flat().some(({ kind }) => kind === 'real');
  if (!isReal) return use((await import('#engine')).worldWithoutFiles());
  const { openLocalWorld } = await import('./local-world.ts');
  const world = await openLocalWorld(root, Object.values(environment.data));
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}
