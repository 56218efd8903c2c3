import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DuckDBInstance, type Json } from '@duckdb/node-api';

const DAYS = ['2001-01-01', '2001-01-02', '2001-01-03'];
const SUBJECT = '2001-01-03';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-flights-'));
  for (const day of DAYS) await ingest(day);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('one day is taken out of the file, whole and with what the checks look at', async () => {
  expect(await ingest('2001-01-02')).toMatchObject({ rows: '16850', null_ratio: 0, delay_max: 867 });
});

test('features of a day know nothing of its delays: other delays on that day leave all of them as they were', async () => {
  const [before, summary] = await features(join(folder, 'raw'));
  expect(summary).toMatchObject({ rows: '16948', history_days: '2' });

  const changed = join(folder, 'changed');
  await run(
    DAYS.map((day) => {
      const late = day === SUBJECT ? 'not late as late, 500 - delay as delay' : 'late, delay';
      return `copy (select * exclude (late, delay), ${late} from read_parquet('${folder}/raw/ds=${day}/flights.parquet'))
              to '${changed}/ds=${day}/flights.parquet'`;
    }),
    DAYS.map((day) => join(changed, `ds=${day}`)),
  );
  const [after] = await features(changed);
  expect(after).toEqual(before);
});

test('features of a day do change with the delays of the day before', async () => {
  const [before] = await features(join(folder, 'raw'));
  const changed = join(folder, 'yesterday');
  await run(
    DAYS.map(
      (day) =>
        `copy (select * replace (late and '${day}' <> '2001-01-02' as late) from read_parquet('${folder}/raw/ds=${day}/flights.parquet'))
         to '${changed}/ds=${day}/flights.parquet'`,
    ),
    DAYS.map((day) => join(changed, `ds=${day}`)),
  );
  const [after] = await features(changed);
  expect(after).not.toEqual(before);
});

/** Runs `ingest.sql` as the task does and gives its outputs. */
async function ingest(day: string): Promise<unknown> {
  const raw = join(folder, 'raw', `ds=${day}`);
  await mkdir(raw, { recursive: true });
  return task('ingest.sql', {
    DS: day,
    DATA_FLIGHTS: resolve('node_modules/vega-datasets/data'),
    PARAM_FILE: 'flights-3m.parquet',
    PATH_RAW: raw,
  });
}

/** Runs `features.sql` on a folder of partitions: a fingerprint of all features, and the outputs. */
async function features(raw: string): Promise<readonly [fingerprint: unknown, outputs: unknown]> {
  const out = await mkdtemp(join(folder, 'out-'));
  const outputs = await task('features.sql', { DS: SUBJECT, PATH_RAW: raw, PATH_FEATURES: out, PATH_EXAMPLES: out });
  // A sum of hashes does not depend on the order of rows, which other delays on the day may change.
  const fingerprint = await run([
    `select count(*), sum(hash(e)::hugeint)::text from (select * exclude (late) from read_parquet('${out}/flights.parquet')) e
     union all
     select count(*), sum(hash(r)::hugeint)::text from read_parquet('${out}/route_hour.parquet') r`,
  ]);
  return [fingerprint, outputs];
}

async function task(file: string, variables: Readonly<Record<string, string>>): Promise<unknown> {
  const text = await readFile(resolve('dags/flights', file), 'utf8');
  const [outputs] = await run([
    ...Object.entries(variables).map(([name, value]) => `set variable ${name} = '${value}'`),
    text,
  ]);
  return outputs;
}

async function run(statements: readonly string[], folders: readonly string[] = []): Promise<Record<string, Json>[]> {
  await Promise.all(folders.map((name) => mkdir(name, { recursive: true })));
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    let rows: Record<string, Json>[] = [];
    // One after the other: later statements use what earlier ones made.
    for (const statement of statements) rows = (await db.runAndReadAll(statement)).getRowObjectsJson();
    return rows;
  } finally {
    db.closeSync();
  }
}
