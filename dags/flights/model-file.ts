import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { View } from './encode.ts';
import type { LogisticModel } from './logistic.ts';
import type { Days, Split } from './split.ts';

/** One corner of the fan-out: what was tried, and how it did on the days that decide between candidates. */
export interface Candidate {
  readonly view: View;
  /** Ridge penalty on the weights. */
  readonly l2: number;
  readonly choose: { readonly auc: number; readonly logloss: number };
}

/** How a model did on the days to be judged on, beside two answers that need no model. */
export interface Evaluation {
  readonly rows: number;
  readonly auc: number;
  readonly logloss: number;
  readonly share_late: number;
  /** Mean of the probabilities; equal to `share_late` when the model is calibrated. */
  readonly share_predicted: number;
  /** Ranking by the smoothed rate of the route at this hour, which needs no model. */
  readonly auc_baseline: number;
  /** Giving every flight the share of late flights seen before. */
  readonly logloss_baseline: number;
  /** The best model that does not know the clock at departure. */
  readonly auc_day_ahead: number;
}

/** A model with everything one must know to use it without looking into the future. */
export interface ModelFile {
  readonly format: 1;
  readonly candidate: Candidate;
  /** Days the published weights were fitted on. */
  readonly trained: Days;
  /** No flight on or after `split.evaluate.to` had any influence. */
  readonly split: Split;
  readonly evaluation: Evaluation;
  readonly model: LogisticModel;
}

export async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}

/** Parses a file written by an earlier task of this pipeline; its form is trusted. */
export async function readJson<T>(folder: string, name: string): Promise<T> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
}

/** Throws unless everything the model has seen, its evaluation included, ended before `day` began. */
export function assertNotFromTheFuture(file: Pick<ModelFile, 'trained' | 'split'>, day: string): void {
  for (const [what, until] of [
    ['was trained on', file.trained.to],
    ['was chosen on', file.split.choose.to],
    ['was judged on', file.split.evaluate.to],
  ] as const) {
    if (until > day) throw new Error(`The model ${what} days until ${until} and may not score flights of ${day}.`);
  }
}
