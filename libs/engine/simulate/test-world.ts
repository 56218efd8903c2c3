import type { Assignment, AttemptResult, OutputBinding, PublishedVersion } from '#core';
import { SluiceError } from '#core';
import type { TestFiles } from '#dag';

/** Files of simulated runs, and tasks that are really executed. */
export interface TestWorld {
  /** Publishes files (and those of a folder below `dags/`) as a version that tasks can read. */
  publish(
    output: OutputBinding,
    content: { readonly files: TestFiles; readonly folder: string | null },
  ): Promise<PublishedVersion>;
  /** Executes an attempt. */
  execute(assignment: Assignment): Promise<AttemptResult>;
  /** SHA-256 of each file of a version, by name. */
  contentOf(version: string): Promise<Readonly<Record<string, string>>>;
}

/** A world without files, for tests that mock every task: what is published is there, and empty. */
export function worldWithoutFiles(): TestWorld {
  let versions = 0;
  return {
    publish: async ({ name, location }) => ({
      ...{ name, location, version: String(++versions), manifestHash: '' },
      ...{ files: 0, bytes: 0 },
    }),
    execute: async ({ taskId }) => {
      throw new SluiceError('internal', `task ${taskId} cannot be executed without files`);
    },
    contentOf: async () => ({}),
  };
}
