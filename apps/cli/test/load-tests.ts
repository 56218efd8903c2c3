import { SluiceError, type CompiledPipeline } from '#core';
import type { PipelineTest } from '#dag';
import { checkedFile, type CheckedFile } from '../project/check-project.ts';
import { compileProject } from '../project/compile-project.ts';
import { parseProjectTests } from '../project/parse-project-tests.ts';
import { environmentFiles, type Project } from '../project/project.ts';

export interface ProjectTests {
  /** Digest of `dags/` as it was read. */
  readonly release: string;
  readonly pipelines: readonly CompiledPipeline[];
  readonly tests: readonly PipelineTest[];
  /** Files of tests, with their problems. */
  readonly files: readonly CheckedFile[];
}

/** All tests of a project; those of a file with problems are missing. */
export async function loadTests(project: Project): Promise<ProjectTests> {
  const [compiled, environments] = await Promise.all([compileProject(project), environmentFiles(project)]);
  const { parseEnvironment } = await import('#dag');
  const parsed = environments.map(({ path, text }) => parseEnvironment(path, text, project.root));
  const files = [...(await parseProjectTests(compiled, parsed))];
  return {
    release: compiled.release,
    pipelines: compiled.pipelines,
    tests: files.flatMap(([, { tests }]) => tests),
    files: files.map(([file, { problems }]) => checkedFile(`dags/${file}`, compiled.texts.get(file) ?? '', problems)),
  };
}

/** Those whose file, pipeline or name contains one of the texts; throws `not_found` for a text that none contains. */
export function selectTests(tests: readonly PipelineTest[], filters: readonly string[]): readonly PipelineTest[] {
  if (filters.length === 0) return tests;
  const contains = ({ file, pipeline, name }: PipelineTest, filter: string) =>
    [`dags/${file}`, pipeline.name, name].some((text) => text.toLowerCase().includes(filter.toLowerCase()));
  const idle = filters.find((filter) => !tests.some((test) => contains(test, filter)));
  if (idle !== undefined)
    throw new SluiceError('not_found', `No test, pipeline or file of tests contains "${idle}".`, {
      hint: `There are tests of ${[...new Set(tests.map(({ pipeline }) => pipeline.name))].join(', ') || 'nothing'}.`,
    });
  return tests.filter((test) => filters.some((filter) => contains(test, filter)));
}
