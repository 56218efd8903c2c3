import type { Clock, EngineStore, PromotionStore, SecretSource } from '#core';
import type { AlertDefaults } from '../alerts.ts';
import type { Environments, Observer, Pipelines } from '../ports.ts';

/** What promotions are made of. */
export interface PromotionParts {
  readonly promotions: PromotionStore;
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  /** True when something else decides the environment's release (the working tree, a git remote): a promotion there verifies and points at nothing. */
  readonly isFollowed: (environment: string) => Promise<boolean>;
  /** Problems of a release's files, for people; empty: none. Contents that are gone are one. */
  readonly releaseProblems: (release: string) => Promise<readonly string[]>;
  /** Throws when the secret cannot be had. */
  readonly readSecret: (source: SecretSource) => Promise<string>;
  /** Status that an address answers with; throws when it does not answer in time. */
  readonly statusOf: (url: string, timeoutMs: number) => Promise<number>;
  readonly alertDefaults: AlertDefaults;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Something was created that the scheduler should look at now. */
  readonly wake: () => void;
}
