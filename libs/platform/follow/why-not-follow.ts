import { promotionOnly } from '#core';
import type { Environments } from '#engine';

/** Why nothing but promotions may decide the environment's release, or that there is no such environment; null: it may follow. */
export function whyNotFollow(environments: Environments, name: string): string | null {
  const environment = environments.get(name);
  if (environment === null) return `There is no environment "${name}" in environments/.`;
  const { config } = environment;
  // A preview may come at any time; a commit that ran at once would go around the window.
  const why = promotionOnly(config) ?? (config.promotion.window === null ? null : 'its releases wait for a window');
  return why === null ? null : `${name} cannot follow a branch: ${why}.`;
}
