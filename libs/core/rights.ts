/*
 * Who may do what, where. Rights are given to named tokens, each in one environment or in all of them; nothing that was
 * not given may be done.
 */

export const RIGHTS = [
  /** Read what runs, its logs, data locations, metrics, alerts and the audit trail. Implied by any other right. */
  'view',
  /** Trigger, cancel, rerun, backfill and pause; report metrics; test alerts. */
  'operate',
  /** Create releases, and record what their tests came to. */
  'release',
  /** Execute tasks: for workers, which are given the secrets of what they execute. */
  'work',
  /** Ask for promotions and rollbacks. */
  'promote',
  /** Approve or reject in one's own name. */
  'approve',
  /** Approve or reject in the name of somebody else, whom the token vouches for. */
  'approve-on-behalf',
  /** State where releases were verified, of environments of another installation, which the token vouches for. */
  'vouch',
  /** Override gates, and promote hotfixes. */
  'override',
  /** Set and lift holds and freezes. */
  'configure',
  /** Make and revoke tokens: only as a right in all environments. */
  'admin',
] as const;
export type Right = (typeof RIGHTS)[number];

/** Stands for all environments, those that do not exist yet included. */
export const ALL_ENVIRONMENTS = '*';

export interface GrantedRight {
  readonly right: Right;
  /** Name of an environment, its previews (`dev/pr-123`) included, or `*`. */
  readonly environment: string;
}

/** Who asks. */
export interface Caller {
  /** For people, and in the audit trail: a token's name, or by which way the installation's own token came. */
  readonly name: string;
  readonly groups: readonly string[];
  readonly rights: readonly GrantedRight[];
}

/** The rights of the installation's own token. */
export const EVERY_RIGHT: readonly GrantedRight[] = RIGHTS.map((right) => ({
  right,
  environment: ALL_ENVIRONMENTS,
}));

/** True when `right` was given in this environment. Asked for `*`, it must have been given in all environments at once. */
export function mayDo(rights: readonly GrantedRight[], right: Right, environment: string): boolean {
  return rights.some(
    (given) =>
      (given.right === right || right === 'view') &&
      (given.environment === ALL_ENVIRONMENTS || isAmong([given.environment], environment)),
  );
}

/** True for each of these environments and their previews; null: for all. */
export function isAmong(environments: readonly string[] | null, environment: string): boolean {
  if (environments === null || environments.includes(environment)) return true;
  const at = environment.indexOf('/');
  return at > 0 && environments.includes(environment.slice(0, at));
}

/** True when `right` was given in any environment: for what belongs to none, such as the state of the server. */
export function mayDoSomewhere(rights: readonly GrantedRight[], right: Right): boolean {
  return rights.some((given) => given.right === right || right === 'view');
}

/** Environments in which `right` was given; null: all. */
export function environmentsOf(rights: readonly GrantedRight[], right: Right): readonly string[] | null {
  const named = rights.filter((given) => given.right === right).map(({ environment }) => environment);
  return named.includes(ALL_ENVIRONMENTS) ? null : named;
}

/** Environments that may be viewed; `*`: all. For lists across environments. */
export function viewableEnvironments(rights: readonly GrantedRight[]): '*' | readonly string[] {
  const named = new Set(rights.map(({ environment }) => environment));
  return named.has(ALL_ENVIRONMENTS) ? ALL_ENVIRONMENTS : [...named].sort();
}
