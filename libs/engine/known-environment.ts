import { SluiceError } from '#core';
import type { AppliedEnvironment, Environments } from './ports.ts';

/** Throws `not_found` with those there are. */
export function knownEnvironment(environments: Environments, name: string): AppliedEnvironment {
  const found = environments.get(name);
  if (found !== null) return found;
  const known = environments.all().map(({ config }) => config.name);
  const hint = known.length === 0 ? `Declare it in environments/${name}.yaml.` : `Known: ${known.join(', ')}.`;
  throw new SluiceError('not_found', `There is no environment "${name}".`, { hint });
}
