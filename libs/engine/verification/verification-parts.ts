import type { Clock, EngineStore, FileContent, VerificationStore } from '#core';
import type { AlertDefaults } from '../route-alerts.ts';
import type { Environments, Observer, Pipelines } from '../ports.ts';

/** What verifications are made of. */
export interface VerificationParts {
  readonly verifications: VerificationStore;
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  /** Files of a version by its manifest; null: it is gone, damaged, or another one than `manifestHash` says. */
  readonly filesOf: (
    environment: string,
    version: string,
    manifestHash: string,
  ) => Promise<readonly FileContent[] | null>;
  /** Text of a file of a version; null: it is gone, or too large to be looked into. */
  readonly textOf: (environment: string, version: string, file: FileContent) => Promise<string | null>;
  /** Removes what a shadow run wrote: it is the same as what is there already. */
  readonly discard: (shadowRunId: string) => Promise<void>;
  readonly alertDefaults: AlertDefaults;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Something was created that the scheduler should look at now. */
  readonly wake: () => void;
}
