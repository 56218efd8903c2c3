import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readExamples, withDuckDB } from './duck.ts';
import { encode } from './encode.ts';
import { predict } from './logistic.ts';
import { auc, logLoss, mean, round } from './measures.ts';
import { assertNotFromTheFuture, readJson, type ModelFile } from './model-file.ts';
import { daysBetween } from './split.ts';
import { intervalDays, type TaskContext } from './task-context.ts';

/** Gives each flight of the day a probability of being late, with a model that has seen nothing of this day or later ones. */
export async function score(ctx: TaskContext): Promise<void> {
  const { start } = intervalDays(ctx);
  const { model, candidate, trained, split } = await readJson<ModelFile>(
    await onlyPartition(ctx.paths['model']!),
    'model.json',
  );
  assertNotFromTheFuture({ trained, split }, start);

  const flights = join(await onlyPartition(ctx.paths['examples']!), 'flights.parquet');
  const examples = await readExamples(flights);
  const probabilities = predict(model, encode(candidate.view, examples));
  await writeScores(flights, probabilities, join(ctx.out['scores']!, 'scores.parquet'));

  ctx.metric('rows', examples.rows);
  ctx.metric('auc_live', round(auc(probabilities, examples.late)));
  ctx.metric('logloss', round(logLoss(probabilities, examples.late)));
  ctx.metric('share_predicted_late', round(mean(probabilities)));
  ctx.metric('share_late', round(mean(examples.late)));
  ctx.metric('model_age_days', daysBetween(trained.to, start));
  ctx.output('rows', examples.rows);
  ctx.output('model_trained_until', trained.to);
}

/** The windows that this task declares hold one partition each: the day, and the newest week before its end. */
async function onlyPartition(folder: string): Promise<string> {
  const names = await readdir(folder);
  if (names.length !== 1) throw new Error(`Expected one partition in ${folder}, found ${names.length}: ${names.join(', ')}.`);
  return join(folder, names[0]!);
}

/** The flights in their own order, each with its probability. */
async function writeScores(flights: string, probabilities: Float64Array, file: string): Promise<void> {
  await withDuckDB(async (db) => {
    await db.run('create temp table prediction (probability float)');
    const appender = await db.createAppender('prediction');
    for (const probability of probabilities) {
      appender.appendFloat(probability);
      appender.endRow();
    }
    appender.closeSync();
    await db.run(
      `copy (
        select departed_at, origin, destination, hour, probability, late
        from read_parquet($flights) positional join prediction
      ) to '${file.replaceAll("'", "''")}' (format parquet, compression zstd)`,
      { flights },
    );
  });
}
