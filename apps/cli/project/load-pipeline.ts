import { SluiceError, type CompiledPipeline, type EnvironmentConfig } from '#core';
import { environmentFiles, pipelineFiles, releaseFileNames, type Project } from './project.ts';

/** One pipeline of the project by its name; `not_found` names those there are, `invalid_config` carries its problems. */
export async function loadPipeline(project: Project, name: string): Promise<CompiledPipeline> {
  const [files, known] = await Promise.all([pipelineFiles(project), releaseFileNames(project)]);
  const { compilePipelines } = await import('#dag');
  const inDags = files.map(({ path, text }) => ({ file: path.slice('dags/'.length), text }));
  const { pipelines, problems } = compilePipelines(inDags, known);
  const found = pipelines.find((pipeline) => pipeline.name === name);
  if (found !== undefined) return found;
  // A broken file compiles to nothing; by its usual name it can still be recognised.
  const file = inDags.find(({ file }) => file.replace(/\.ya?ml$/, '') === name)?.file;
  const broken = file === undefined ? [] : (problems.get(file) ?? []);
  if (broken.length > 0)
    throw new SluiceError(
      'invalid_config',
      `dags/${file} has ${broken.length === 1 ? 'a problem' : `${broken.length} problems`}.`,
      {
        details: { problems: broken.map((problem) => ({ ...problem, file: `dags/${file}` })) },
      },
    );
  throw new SluiceError('not_found', `There is no pipeline "${name}" in ${project.root}/dags.`, {
    hint:
      pipelines.length > 0
        ? `There are: ${pipelines
            .map((pipeline) => pipeline.name)
            .sort()
            .join(', ')}.`
        : '`sluice init` writes a first one.',
  });
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
  throw new SluiceError(
    'invalid_config',
    `${file.path} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}.`,
    {
      details: { problems },
    },
  );
}
