import { SluiceError, type CompiledPipeline, type EnvironmentConfig, type Problem } from '#core';
import type { z } from 'zod';
import { Compiling } from '../compile/compiling.ts';
import { checkShape } from '../shape/shape-problems.ts';
import { testFileShape, type TestShape } from '../shape/test-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { ProblemList } from '../source/problem-list.ts';
import { quote } from '../source/quote.ts';
import { readYaml } from '../source/read-yaml.ts';
import type { Path } from '../source/source-map.ts';
import { withOverlay } from '../with-overlay.ts';
import { bareEnvironment } from './bare-environment.ts';
import { compileFires } from './compile-fires.ts';
import { compileRunTest } from './compile-run-test.ts';
import type { PipelineTest } from './pipeline-test.ts';

/** What tests may name. */
export interface TestedProject {
  readonly pipelines: readonly CompiledPipeline[];
  /** Names of pipelines whose file has problems. */
  readonly broken: ReadonlySet<string>;
  readonly environments: ReadonlyMap<string, EnvironmentConfig>;
  /** Paths below `dags/`. */
  readonly files: ReadonlySet<string>;
}

export interface ParsedTests {
  /** None when there is any problem. */
  readonly tests: readonly PipelineTest[];
  /** In the order of the file. */
  readonly problems: Problem[];
}

/** What the test at `path` is being compiled with. */
export interface CompilingTest {
  readonly compiling: Compiling;
  readonly path: Path;
  readonly project: TestedProject;
  readonly pipeline: CompiledPipeline;
  readonly environment: EnvironmentConfig;
}

const FOLDER = 'tests/';

/** True for files of `dags/tests/`, by their path below `dags/`: they are no pipelines. */
export function isTestFile(file: string): boolean {
  return file.startsWith(FOLDER);
}

/** Compiles the text of one file of tests, `file` being its path below `dags/`. Finds all problems at once; never throws on any text. */
export function parseTests(file: string, text: string, project: TestedProject): ParsedTests {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  if (source === null) return { tests: [], problems: problems.toArray() };
  const compiling = new Compiling(file, source.map, problems);
  if (source.value === null) compiling.at([], 'The file is empty.', 'Begin with `pipeline:` and `tests:`.');
  const shape = source.value === null ? null : checkShape(testFileShape, source.value, [], source.map, problems);
  const tests = shape === null ? [] : compileTests(shape, project, compiling);
  const found = problems.toArray();
  return { tests: found.length === 0 ? tests : [], problems: found };
}

function compileTests(
  shape: z.infer<typeof testFileShape>,
  project: TestedProject,
  compiling: Compiling,
): PipelineTest[] {
  if (Object.keys(shape.tests).length === 0)
    compiling.at(['tests'], 'The file has no test.', 'Write one, or remove the file.');
  return Object.entries(shape.tests).flatMap(([name, test]): PipelineTest[] => {
    const path = ['tests', name];
    const pipeline = pipelineOf(test, shape, path, project, compiling);
    const environment = pipeline && environmentOf(test, shape, path, pipeline, project, compiling);
    if (pipeline === null || environment === null) return [];
    const overlaid = withOverlay(pipeline, environment.name);
    const within: CompilingTest = { compiling, path, project, pipeline: overlaid, environment };
    const body = test.fires === undefined ? compileRunTest(test, within) : compileFires(test, within);
    if (body === null) return [];
    const place = (below: Path) =>
      below.length === 0 ? compiling.map.key(path) : compiling.map.value([...path, ...below]);
    return [{ name, file: compiling.file, pipeline: overlaid, environment, body, place }];
  });
}

type About = Pick<TestShape, 'pipeline' | 'environment'>;

function pipelineOf(test: About, file: About, path: Path, project: TestedProject, compiling: Compiling) {
  const { pipelines, broken } = project;
  const wanted = test.pipeline ?? file.pipeline;
  if (wanted === undefined) {
    compiling.atKey(path, 'It is not said which pipeline is tested.', 'Add `pipeline:` to the file or to the test.');
    return null;
  }
  const found = pipelines.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const place = test.pipeline === undefined ? ['pipeline'] : [...path, 'pipeline'];
  const message = broken.has(wanted)
    ? `The pipeline ${quote(wanted)} has problems of its own.`
    : `There is no pipeline ${quote(wanted)}.`;
  const all = pipelines.map(({ name }) => name);
  compiling.at(
    place,
    message,
    broken.has(wanted)
      ? '`sluice validate` shows them.'
      : didYouMean(wanted, all, 'Add its file, or correct the name.'),
  );
  return null;
}

function environmentOf(
  test: TestShape,
  file: About,
  path: Path,
  pipeline: CompiledPipeline,
  { environments }: TestedProject,
  compiling: Compiling,
): EnvironmentConfig | null {
  const wanted = test.environment ?? file.environment;
  const found = wanted === undefined ? bareEnvironment(pipeline) : environments.get(wanted);
  if (found !== undefined) return { ...found, secrets: {}, vars: { ...found.vars, ...test.vars } };
  if (wanted === undefined) throw new SluiceError('internal', 'a bare environment is always there');
  compiling.at(
    test.environment === undefined ? ['environment'] : [...path, 'environment'],
    `There is no environment ${quote(wanted)} without problems in environments/.`,
    didYouMean(wanted, environments.keys(), 'Add its file, or leave `environment` out.'),
  );
  return null;
}
