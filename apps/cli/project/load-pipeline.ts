import { SluiceError, type CompiledPipeline, type EnvironmentConfig } from '#core';
import { compileProject } from './compile-project.ts';
import { environmentFiles, type Project } from './project.ts';

/** One pipeline of the project by its name, with the release it would be in; `not_found` names those there are, `invalid_config` carries its problems. */
export async function loadPipeline(
  project: Project,
  name: string,
): Promise<{ readonly pipeline: CompiledPipeline; readonly release: string }> {
  const { pipelines, problems, release } = await compileProject(project);
  const pipeline = pipelines.find((each) => each.name === name);
  if (pipeline !== undefined) return { pipeline, release };
  // A broken file compiles to nothing; by its usual name it can still be recognised.
  const [file, broken] = Object.entries(problems).find(([each]) => each.replace(/\.ya?ml$/, '') === name) ?? [];
  if (broken !== undefined)
    throw new SluiceError('invalid_config', `dags/${file} has ${countText(broken.length)}.`, {
      details: { problems: broken.map((problem) => ({ ...problem, file: `dags/${problem.file}` })) },
    });
  const known = pipelines.map((each) => each.name).sort();
  throw new SluiceError('not_found', `There is no pipeline "${name}" in ${project.root}/dags.`, {
    hint: known.length > 0 ? `There are: ${known.join(', ')}.` : '`sluice init` writes a first one.',
  });
}

function countText(problems: number): string {
  return problems === 1 ? 'a problem' : `${problems} problems`;
}

/** `environments/<name>.yaml`, parsed; `not_found` and `invalid_config` as above. */
export async function loadEnvironment(project: Project, name: string): Promise<EnvironmentConfig> {
  const files = await environmentFiles(project);
  const { parseEnvironment } = await import('#dag');
  const file = files.find(({ path }) => path.replace(/\.ya?ml$/, '') === `environments/${name}`);
  if (file === undefined)
    throw new SluiceError('not_found', `There is no environments/${name}.yaml in ${project.root}.`, {
      hint:
        files.length > 0
          ? `There are: ${files.map(({ path }) => path).join(', ')}.`
          : '`sluice init` writes three of them.',
    });
  const { environment, problems } = parseEnvironment(file.path, file.text, project.root);
  if (environment !== null && problems.length === 0) return environment;
  throw new SluiceError('invalid_config', `${file.path} has ${countText(problems.length)}.`, {
    details: { problems },
  });
}
