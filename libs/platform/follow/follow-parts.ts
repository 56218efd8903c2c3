import type { Clock } from '#core';
import type { Observer } from '#engine';
import type { GitAccess, ReleaseStore } from '#release';
import type { Db } from '#store';
import type { CommitStatuses } from './commit-statuses.ts';

/** What following git remotes is made of. */
export interface FollowParts {
  readonly db: Db;
  readonly releases: Pick<ReleaseStore, 'put'>;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Folder for the mirrors. */
  readonly folder: string;
  readonly access: GitAccess;
  /** Null: nobody is told. */
  readonly statuses: CommitStatuses | null;
  /** How people reach the web view, without a slash at the end; empty: unknown. */
  readonly publicUrl: string;
  /** Says why the environment may not follow; null: it may. */
  readonly refusal: (environment: string) => string | null;
  /** Screens have something new to show; `moved`: an environment points at another release. */
  readonly onChange: (moved: boolean) => void;
  /** An environment follows nothing any more. */
  readonly onUnfollowed: (environment: string) => void;
}
