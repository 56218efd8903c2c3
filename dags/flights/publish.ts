import { join } from 'node:path';
import { readExamples } from './duck.ts';
import { MEANING } from './encode.ts';
import { permutationImportance, type Importance } from './importance.ts';
import { round } from './measures.ts';
import { readJson, writeJson, type ModelFile } from './model-file.ts';
import { daysBetween } from './split.ts';
import type { TaskContext } from './task-context.ts';

const EXPLAIN_ROWS = 20_000;

/** Publishes the model that passed the gate, with an explanation of what it looks at. */
export async function publish(ctx: TaskContext): Promise<void> {
  const file = await readJson<ModelFile>(ctx.paths['evaluated']!, 'model.json');
  const exam = await readExamples(join(ctx.paths['training']!, 'evaluate.parquet'), {
    every: Math.ceil(file.evaluation.rows / EXPLAIN_ROWS),
  });
  const importance = permutationImportance(file.model, file.candidate.view, exam).map(
    ({ column, aucLost }) => ({ column, meaning: MEANING[column], auc_lost: round(aucLost) }),
  );
  await writeJson(ctx.out['model']!, 'model.json', file);
  await writeJson(ctx.out['model']!, 'explanation.json', { importance, weights: weightsOf(file) });
  ctx.summary(describe(file, importance));
  ctx.output('trained_until', file.trained.to);
  ctx.output('best', `${file.candidate.view}, l2 = ${file.candidate.l2}`);
}

/** Weights of standardised terms, largest effect first. */
function weightsOf({ model }: ModelFile): readonly { readonly term: string; readonly weight: number }[] {
  return model.terms
    .map((term, index) => ({ term, weight: round(model.weights[index]!) }))
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
}

function describe(
  { candidate, trained, split, evaluation }: ModelFile,
  importance: readonly (Pick<Importance, 'column'> & { readonly meaning: string; readonly auc_lost: number })[],
): string {
  const { evaluate } = split;
  return [
    `### More than 15 minutes late: the model judged on ${evaluate.from} to ${evaluate.to} (exclusive)`,
    '',
    `Learnt from ${daysBetween(trained.from, trained.to)} days, ${trained.from} to ${trained.to} (exclusive); best candidate: \`${candidate.view}\`, l2 = ${candidate.l2}.`,
    '',
    '| | this model | without a model | without the clock |',
    '| --- | ---: | ---: | ---: |',
    `| AUC | **${evaluation.auc}** | ${evaluation.auc_baseline} | ${evaluation.auc_day_ahead} |`,
    `| log loss | **${evaluation.logloss}** | ${evaluation.logloss_baseline} | |`,
    `| share late | ${evaluation.share_predicted} predicted | ${evaluation.share_late} in truth | |`,
    '',
    '| what it looks at | AUC lost without it |',
    '| --- | ---: |',
    ...importance.slice(0, 10).map(({ meaning, auc_lost }) => `| ${meaning} | ${auc_lost} |`),
    '',
  ].join('\n');
}
