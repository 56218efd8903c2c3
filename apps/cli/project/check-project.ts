import type { Problem } from '#core';
import { environmentFiles, pipelineFiles, releaseFileNames, type Project } from './project.ts';

export interface CheckedFile {
  /** From the project's root: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly problems: readonly Problem[];
}

/** Every pipeline and environment file with its problems; files without any are listed too. Problems name files from the root. */
export async function checkProject(project: Project): Promise<CheckedFile[]> {
  const [pipelines, environments, known] = await Promise.all([
    pipelineFiles(project),
    environmentFiles(project),
    releaseFileNames(project),
  ]);
  // The compiler loads zod and the expression language: only commands that need it pay for that.
  const { compilePipelines, parseEnvironment } = await import('#dag');
  const inDags = (path: string): string => path.slice('dags/'.length);
  const compiled = compilePipelines(
    pipelines.map(({ path, text }) => ({ file: inDags(path), text })),
    known,
  );
  return [
    ...pipelines.map(({ path, text }) => ({
      path,
      text,
      problems: sorted(compiled.problems.get(inDags(path)) ?? []).map((problem) => ({ ...problem, file: path })),
    })),
    ...environments.map(({ path, text }) => ({
      path,
      text,
      problems: sorted(parseEnvironment(path, text, project.root).problems).map((problem) => ({
        ...problem,
        file: path,
      })),
    })),
  ];
}

function sorted(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
