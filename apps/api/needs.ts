import { SetMetadata } from '@nestjs/common';
import {
  ALL_ENVIRONMENTS,
  mayDo,
  mayDoSomewhere,
  SluiceError,
  viewableEnvironments,
  type Caller,
  type Right,
} from '#core';

/** Where a route's environment stands. */
export type EnvironmentSource =
  /** `:environment` of the path. */
  | 'path'
  /** `env` of the query. */
  | 'query'
  /** `env` of the query; without it the right in any environment will do, and the route shows what may be viewed. */
  | 'query-or-any'
  /** `environment` of the body. */
  | 'body'
  /** The environment of the run `:run`. */
  | 'run'
  /** The environment of the backfill `:backfill`. */
  | 'backfill'
  /** The environment of the promotion `:promotion`. */
  | 'promotion'
  /** Those of `topics`, separated by commas: the right in each of them. */
  | 'topics'
  /** None in particular: the right in any environment will do, and the route shows what may be viewed. */
  | 'any'
  /** None in particular, and it concerns all: the right in all environments. */
  | 'all';

export interface Need {
  readonly right: Right;
  readonly of: EnvironmentSource;
}
/** `credentials`: a token or a cookie will do, whatever its rights. */
export type Declared = Need | 'credentials';

export const NEED = 'sluice:need';

/** What a caller must have been given for this route. A route that declares nothing and is not open answers nobody. */
export const Needs = (right: Right, of: EnvironmentSource) => SetMetadata(NEED, { right, of } satisfies Need);

/** For routes about the caller: any credentials will do. */
export const NeedsCredentials = () => SetMetadata(NEED, 'credentials' satisfies Declared);

/** Throws `forbidden` unless the caller has the right in the environment (`*`: in all). For what depends on more than the route. */
export function demand(caller: Caller, right: Right, environment: string): void {
  if (mayDo(caller.rights, right, environment)) return;
  throw forbidden(caller, right, environment);
}

/** Throws `forbidden` unless the caller has the right in any environment. */
export function demandSomewhere(caller: Caller, right: Right): void {
  if (!mayDoSomewhere(caller.rights, right)) throw forbidden(caller, right, null);
}

/** What lists across environments may show this caller; null: everything. */
export function viewableBy(caller: Caller): readonly string[] | null {
  const viewable = viewableEnvironments(caller.rights);
  return viewable === ALL_ENVIRONMENTS ? null : viewable;
}

function forbidden(caller: Caller, right: Right, environment: string | null): SluiceError {
  const where =
    environment === null
      ? 'in any environment'
      : environment === ALL_ENVIRONMENTS
        ? 'in all environments'
        : `in ${environment}`;
  return new SluiceError('forbidden', `${caller.name} has no right to ${right} ${where}.`, {
    hint: `Use a token with the right ${right}:${environment ?? 'ENVIRONMENT'}; \`sluice whoami\` says which rights this one has.`,
  });
}
