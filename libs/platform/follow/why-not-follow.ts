import { promotionOnly } from '#core';
import type { Environments } from '#engine';

/** Why nothing but promotions may decide the environment's release, or that there is no such environment; null: it may follow. */
export function whyNotFollow(environments: Environments, name: string): string | null {
  const environment = environments.get(name);
  if (environment === null) return `There is no environment "${name}" in environments/.`;
  const why = promotionOnly(environment.config);
  return why === null ? null : `${name} cannot follow a branch: ${why}.`;
}
