import type { Clock, EngineStore, Gate, PromotionStore, SecretSource } from '#core';
import type { AlertDefaults } from '../route-alerts.ts';
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
  /** Promotions in other installations. */
  readonly elsewhere: Elsewhere;
  readonly alertDefaults: AlertDefaults;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Something was created that the scheduler should look at now. */
  readonly wake: () => void;
}

type InstallationGate = Extract<Gate, { kind: 'installation' }>;

/** Another installation, asked in the name of the token that its gate names. Throws `SluiceError` as it answered. */
export interface Elsewhere {
  /** Sends the release there and asks for its promotion; the same again is the same promotion. Its id. */
  request(gate: InstallationGate, asked: AskedElsewhere): Promise<string>;
  /** Throws `conflict` when it has switched or ended there. */
  cancel(gate: InstallationGate, id: string): Promise<void>;
  look(gate: InstallationGate, id: string): Promise<PromotedElsewhere>;
}

export interface AskedElsewhere {
  readonly environment: string;
  /** Digest. */
  readonly release: string;
  readonly kind: 'promote' | 'hotfix' | 'rollback';
  readonly reason: string | null;
  readonly buildUrl: string | null;
  readonly inFlight: 'finish' | 'cancel';
  /** When it was verified in environments of this installation. */
  readonly verified: readonly { readonly environment: string; readonly at: string }[];
}

export interface PromotedElsewhere {
  readonly state: string;
  readonly detail: string | null;
  readonly finished: boolean;
  readonly gates: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}
