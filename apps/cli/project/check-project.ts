import type { Problem } from '#core';
import { compileProject } from './compile-project.ts';
import { parseProjectTests } from './parse-project-tests.ts';
import { environmentFiles, type Project } from './project.ts';

export interface CheckedFile {
  /** From the project's root: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * Every file of pipelines, tests and environments with the problems that stand in it; files without any are listed too,
 * and so are parts, whose problems come once however many pipelines have them. Problems name files from the root.
 */
export async function checkProject(project: Project): Promise<CheckedFile[]> {
  const [compiled, environments] = await Promise.all([compileProject(project), environmentFiles(project)]);
  const { checkLimits, parseEnvironment } = await import('#dag');
  const parsed = environments.map((file) => ({ ...file, ...parseEnvironment(file.path, file.text, project.root) }));
  const tests = await parseProjectTests(compiled, parsed);
  const { texts, problems, pipelines } = compiled;
  const limits = checkLimits(
    pipelines,
    parsed.flatMap(({ environment }) => environment ?? []),
  );
  const standing = byPlace([...Object.values(problems), ...limits.values()].flat());
  return [
    ...[...texts].map(([name, text]) =>
      checkedFile(`dags/${name}`, text, tests.get(name)?.problems ?? standing.get(name) ?? []),
    ),
    ...parsed.map(({ path, text, problems: found }) => checkedFile(path, text, found)),
  ];
}

/** By the file they stand in, each once. */
function byPlace(problems: readonly Problem[]): ReadonlyMap<string, Problem[]> {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  const found = new Map<string, Problem[]>();
  for (const problem of once.values()) found.set(problem.file, [...(found.get(problem.file) ?? []), problem]);
  return found;
}

export function checkedFile(path: string, text: string, problems: readonly Problem[]): CheckedFile {
  const found = problems.map((problem) => ({ ...problem, file: path }));
  return { path, text, problems: found.sort((a, b) => a.line - b.line || a.column - b.column) };
}
