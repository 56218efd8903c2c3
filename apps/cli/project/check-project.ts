import type { Problem } from '#core';
import { compileProject } from './compile-project.ts';
import { environmentFiles, type Project } from './project.ts';

export interface CheckedFile {
  /** From the project's root: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * Every pipeline and environment file with the problems that stand in it; files without any are listed too, and so are
 * parts, whose problems come once however many pipelines have them. Problems name files from the root.
 */
export async function checkProject(project: Project): Promise<CheckedFile[]> {
  const [{ texts, problems }, environments] = await Promise.all([compileProject(project), environmentFiles(project)]);
  const { parseEnvironment } = await import('#dag');
  const standing = byPlace(Object.values(problems).flat());
  const checked = (path: string, text: string, found: readonly Problem[]): CheckedFile => ({
    path,
    text,
    problems: found
      .map((problem) => ({ ...problem, file: path }))
      .sort((a, b) => a.line - b.line || a.column - b.column),
  });
  return [
    ...[...texts].map(([name, text]) => checked(`dags/${name}`, text, standing.get(name) ?? [])),
    ...environments.map(({ path, text }) => checked(path, text, parseEnvironment(path, text, project.root).problems)),
  ];
}

/** By the file they stand in, each once. */
function byPlace(problems: readonly Problem[]): ReadonlyMap<string, Problem[]> {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  const found = new Map<string, Problem[]>();
  for (const problem of once.values()) found.set(problem.file, [...(found.get(problem.file) ?? []), problem]);
  return found;
}
