import type { EnvironmentConfig } from '#core';
import type { ParsedTests } from '#dag';
import type { CompiledProject } from './compile-project.ts';

/** The files of `dags/tests/`, by their path below `dags/`. */
export async function parseProjectTests(
  { texts, files, pipelines, problems }: CompiledProject,
  environments: readonly { readonly environment: EnvironmentConfig | null }[],
): Promise<ReadonlyMap<string, ParsedTests>> {
  const { isTestFile, parseTests } = await import('#dag');
  const known = environments.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  const project = {
    ...{ pipelines, files },
    // By its usual name a broken file can still be recognised.
    broken: new Set(Object.keys(problems).map((file) => file.replace(/\.ya?ml$/, ''))),
    environments: new Map(known.map((environment) => [environment.name, environment])),
  };
  return new Map(
    [...texts].filter(([file]) => isTestFile(file)).map(([file, text]) => [file, parseTests(file, text, project)]),
  );
}
