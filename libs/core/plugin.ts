import type { ParamSchema } from './pipeline.ts';

/** What `plugins/<name>/plugin.yaml` says. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** npm package of exactly `version` that holds the code; null: the folder of the file itself. */
  readonly package: string | null;
  /** File that exports `run`, relative to that folder. */
  readonly entry: string;
  /** It reads from elsewhere than its task's paths. */
  readonly network: boolean;
  /** JSON Schema of `with:`. */
  readonly input: ParamSchema;
}
