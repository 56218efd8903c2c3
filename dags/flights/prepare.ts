import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDuckDB } from './duck.ts';
import { splitDays } from './split.ts';
import { intervalDays, numberParam, type TaskContext } from './task-context.ts';

/**
 * Collects the training table of one week: a sample of each day to learn and choose from, and every flight of the days to
 * be judged on. Everything lies before the end of the interval; nothing appears in two parts.
 */
export async function prepare(ctx: TaskContext): Promise<void> {
  const { end } = intervalDays(ctx);
  const days = (await readdir(ctx.paths['examples']!)).flatMap((name) => /^ds=(.+)$/.exec(name)?.[1] ?? []).sort();
  if (days.length === 0) throw new Error(`There is not one day of examples before ${end}.`);
  const split = splitDays(end, days[0]!, numberParam(ctx, 'fit_days'));

  const files = join(ctx.paths['examples']!, 'ds=*', 'flights.parquet');
  const known = join(ctx.out['training']!, 'known.parquet');
  const evaluation = join(ctx.out['training']!, 'evaluate.parquet');
  const counts = await withDuckDB(async (db) => {
    // The sample is drawn by hash, not by chance: a rerun gets the same flights.
    await db.run(
      `copy (
        select * from read_parquet($files, hive_partitioning = false)
        where day >= $from::date and day < $to::date
        qualify row_number() over (partition by day order by hash(departed_at, origin, destination), late) <= $rows
        order by day, departed_at, origin, destination, late
      ) to '${quoted(known)}' (format parquet)`,
      { files, from: split.fit.from, to: split.choose.to, rows: numberParam(ctx, 'rows_per_day') },
    );
    await db.run(
      `copy (
        select * from read_parquet($files, hive_partitioning = false)
        where day >= $from::date and day < $to::date
        order by day, departed_at, origin, destination, late
      ) to '${quoted(evaluation)}' (format parquet)`,
      { files, from: split.evaluate.from, to: split.evaluate.to },
    );
    const reader = await db.runAndReadAll(
      `select
        (select count(*) from read_parquet($known) where day < $choose::date)::int as fit,
        (select count(*) from read_parquet($known) where day >= $choose::date)::int as choose,
        (select count(*) from read_parquet($evaluation))::int as evaluate`,
      { known, evaluation, choose: split.choose.from },
    );
    return reader.getRowObjectsJS()[0] as { fit: number; choose: number; evaluate: number };
  });
  await writeFile(join(ctx.out['training']!, 'split.json'), `${JSON.stringify({ ...split, rows: counts }, null, 2)}\n`);
  ctx.metric('rows_fit', counts.fit);
  ctx.metric('rows_evaluate', counts.evaluate);
  ctx.output('split', split);
  ctx.log(`fit ${show(split.fit)}, choose ${show(split.choose)}, evaluate ${show(split.evaluate)}`);
}

function show({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from} to ${to} (exclusive)`;
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
