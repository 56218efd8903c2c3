import type { Problem } from '#core';
import { compileProject } from './compile-project.ts';
import { environmentFiles, type Project } from './project.ts';

export interface CheckedFile {
  /** From the project's root: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly problems: readonly Problem[];
}

/** Every pipeline and environment file with its problems; files without any are listed too. Problems name files from the root. */
export async function checkProject(project: Project): Promise<CheckedFile[]> {
  const [{ texts, problems }, environments] = await Promise.all([compileProject(project), environmentFiles(project)]);
  const { parseEnvironment } = await import('#dag');
  const checked = (path: string, text: string, found: readonly Problem[]): CheckedFile => ({
    path,
    text,
    problems: found
      .map((problem) => ({ ...problem, file: path }))
      .sort((a, b) => a.line - b.line || a.column - b.column),
  });
  return [
    ...[...texts].map(([name, text]) => checked(`dags/${name}`, text, problems[name] ?? [])),
    ...environments.map(({ path, text }) => checked(path, text, parseEnvironment(path, text, project.root).problems)),
  ];
}
