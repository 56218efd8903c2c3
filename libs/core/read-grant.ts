import type { EnvironmentConfig } from './pipeline.ts';

/**
 * Environment whose data a read of another pipeline's path means here: the one that the first fitting grant names, else
 * this one. A grant's paths are `features` (of any pipeline) or `other-pipeline.features`.
 */
export function readsFrom(
  { name, grants }: Pick<EnvironmentConfig, 'name' | 'grants'>,
  pipeline: string,
  path: string,
): string {
  const granted = grants.find(({ paths }) => paths.includes(path) || paths.includes(`${pipeline}.${path}`));
  return granted?.read ?? name;
}
