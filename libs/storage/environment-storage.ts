import type { Storage } from '#core';
import type { Manifest } from './manifest.ts';
import type { SweepOptions } from './sweep-staging.ts';

/** What every kind of storage offers beside what attempts need. */
export interface EnvironmentStorage extends Storage {
  /** Where people and other tools find a version: an absolute folder, or `s3://…`. Throws `not_found` when it is gone. */
  address(version: string): Promise<string>;
  /** What a version holds; throws `not_found` when it is gone. */
  manifest(version: string): Promise<Manifest>;
  /** Removes a version for good; one that is gone already is no error. Nothing may need it any more. */
  erase(version: string): Promise<void>;
  /** Removes what a run left besides its data (logs, evidence, artefacts) for good; a run that left none is no error. */
  forgetRun(runId: string): Promise<void>;
  /** Removes from this machine what killed attempts left, and what is only a copy and not needed; returns how many staging areas. */
  sweep(options: SweepOptions): Promise<number>;
}
