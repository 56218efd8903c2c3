import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readExamples } from './duck.ts';
import { encode, VIEWS, type Examples, type View } from './encode.ts';
import { fitLogistic, predict, type LogisticModel } from './logistic.ts';
import { auc, logLoss, mean, round } from './measures.ts';
import { readJson, writeJson, type Candidate, type Evaluation, type ModelFile } from './model-file.ts';
import { refitDays, type Split } from './split.ts';
import { numberParam, type TaskContext } from './task-context.ts';

/**
 * Picks the best candidate, lets it learn from all days before the evaluation, and judges it on days that played no part in
 * learning or choosing. What it writes is published only when the gate lets it.
 */
export async function evaluate(ctx: TaskContext): Promise<void> {
  const training = ctx.paths['training']!;
  const split = await readJson<Split>(training, 'split.json');
  const candidates = await readCandidates(ctx.paths['candidates']!);
  const best = pickBest(candidates);
  ctx.log(`best on ${split.choose.from} to ${split.choose.to} (exclusive): ${best.view} with l2 = ${best.l2}`);

  const exam = await readExamples(join(training, 'evaluate.parquet'));
  const trained = refitDays(split, numberParam(ctx, 'fit_days'));
  const lessons = await readExamples(join(training, 'known.parquet'), { days: trained });
  const model = refit(best, lessons);
  const probabilities = predict(model, encode(best.view, exam));
  const evaluation: Evaluation = {
    rows: exam.rows,
    auc: round(auc(probabilities, exam.late)),
    logloss: round(logLoss(probabilities, exam.late)),
    share_late: round(mean(exam.late)),
    share_predicted: round(mean(probabilities)),
    auc_baseline: round(auc(exam.columns.route_hour_28d, exam.late)),
    logloss_baseline: round(logLoss(new Float64Array(exam.rows).fill(mean(lessons.late)), exam.late)),
    auc_day_ahead: round(judge(ofView(candidates, 'day_ahead'), lessons, exam)),
  };
  await writeJson(ctx.out['evaluated']!, 'model.json', {
    format: 1,
    candidate: best,
    trained,
    split: { fit: split.fit, choose: split.choose, evaluate: split.evaluate },
    evaluation,
    model,
  } satisfies ModelFile);
  for (const [name, value] of Object.entries(evaluation)) ctx.metric(name, value);
}

/** The candidate with the lowest log loss on the days to choose from; of equals the first. */
export function pickBest(candidates: readonly Candidate[]): Candidate {
  const [first, ...others] = candidates;
  if (!first) throw new Error('No candidate was trained.');
  return others.reduce((best, other) => (other.choose.logloss < best.choose.logloss ? other : best), first);
}

function ofView(candidates: readonly Candidate[], view: View): Candidate {
  return pickBest(candidates.filter((candidate) => candidate.view === view));
}

async function readCandidates(folder: string): Promise<readonly Candidate[]> {
  const keys = (await readdir(folder)).sort();
  const candidates = await Promise.all(keys.map((key) => readJson<Candidate>(join(folder, key), 'candidate.json')));
  return [...candidates].sort((a, b) => VIEWS.indexOf(a.view) - VIEWS.indexOf(b.view) || a.l2 - b.l2);
}

function refit({ view, l2 }: Candidate, lessons: Examples): LogisticModel {
  return fitLogistic(encode(view, lessons), lessons.late, l2);
}

function judge(candidate: Candidate, lessons: Examples, exam: Examples): number {
  return auc(predict(refit(candidate, lessons), encode(candidate.view, exam)), exam.late);
}
