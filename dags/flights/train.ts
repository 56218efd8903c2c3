import { join } from 'node:path';
import { readExamples } from './duck.ts';
import { encode, VIEWS, type View } from './encode.ts';
import { fitLogistic, predict } from './logistic.ts';
import { auc, logLoss, round } from './measures.ts';
import { readJson, writeJson, type Candidate } from './model-file.ts';
import type { Split } from './split.ts';
import type { TaskContext } from './task-context.ts';

/** Fits one candidate on the days to learn from and tries it on the days that decide between candidates. */
export async function train(ctx: TaskContext): Promise<void> {
  const view = ctx.matrix['view'] as View;
  const l2 = ctx.matrix['l2'] as number;
  if (!VIEWS.includes(view)) throw new Error(`The view is ${JSON.stringify(view)}; it must be one of ${VIEWS.join(', ')}.`);
  const training = ctx.paths['training']!;
  const split = await readJson<Split>(training, 'split.json');
  const known = join(training, 'known.parquet');

  const lessons = await readExamples(known, { days: split.fit });
  ctx.log(`fitting ${view} on ${lessons.rows} flights of ${split.fit.from} to ${split.fit.to} (exclusive)`);
  const model = fitLogistic(encode(view, lessons), lessons.late, l2);

  const exam = await readExamples(known, { days: split.choose });
  const probabilities = predict(model, encode(view, exam));
  const choose = { auc: round(auc(probabilities, exam.late)), logloss: round(logLoss(probabilities, exam.late)) };
  await writeJson(ctx.out['candidates']!, 'candidate.json', { view, l2, choose } satisfies Candidate);
  ctx.metric('choose_auc', choose.auc);
  ctx.metric('choose_logloss', choose.logloss);
}
