import type { EnvironmentConfig } from './pipeline.ts';
import { SluiceError } from './errors.ts';

/*
 * A preview is an environment beside a parent, for one pull request: `dev/pr-123`. It has the parent's configuration and a
 * folder of its own in the parent's storage, its schedules are paused, and it ends by itself.
 */

/** What an environment may be called, a preview's name behind its parent's. */
export const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(\/[a-z0-9][a-z0-9_.-]{0,62})?$/;

/** Environment and the name behind it; null: an environment that a file declares. */
export function previewParts(environment: string): { readonly parent: string; readonly name: string } | null {
  const at = environment.indexOf('/');
  return at < 0 ? null : { parent: environment.slice(0, at), name: environment.slice(at + 1) };
}

/** The environment whose file speaks for this one: its own name, or that of a preview's parent. */
export function declaredEnvironment(environment: string): string {
  return previewParts(environment)?.parent ?? environment;
}

/** Throws `bad_request` unless the name can be a folder everywhere: lower case, so that no two of them are one. */
export function checkPreviewName(name: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,62}$/.test(name) && !name.endsWith('.') && !name.includes('..')) return name;
  throw new SluiceError('bad_request', `${JSON.stringify(name.slice(0, 100))} cannot be the name of a preview.`, {
    hint: 'Use lower-case letters, digits, "-", "_" and ".", as in dev/pr-123.',
  });
}

/** The configuration of a preview whose data lies at `storage`. Nothing fires by itself, nothing is promoted into it. */
export function previewConfig(parent: EnvironmentConfig, environment: string, storage: string): EnvironmentConfig {
  return { ...parent, name: environment, storage, schedules: 'paused' };
}

/** Where a preview keeps its data: a folder or prefix within its parent's storage. */
export function previewStorage(parent: Pick<EnvironmentConfig, 'storage'>, name: string): string {
  return `${parent.storage.replace(/\/+$/, '')}/previews/${checkPreviewName(name)}`;
}

/**
 * Why releases may reach an environment by promotion only, for people; null: anything may decide its release. What
 * demands gates or approvals must not be gone around.
 */
export function promotionOnly({ promotion: { from, gates, approvals } }: EnvironmentConfig): string | null {
  if (from.length > 0) return `it takes releases from ${from.join(', ')}`;
  if (approvals.count > 0) return 'its releases need approval';
  return gates.some(({ kind }) => kind !== 'validate') ? 'its releases pass gates' : null;
}
