import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage } from '#storage';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

describe('a sql task', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor(
      {
        'sql/write.sql': `
        copy (select range as r, range % 7 as d from range(getvariable('PARAM_ROWS')))
        to (getvariable('PATH_RAW') || '/part.parquet');
        select count(*) as rows, max(r) as top, 1.5::decimal(9, 2) as share, getvariable('DS') as ds
        from read_parquet(getvariable('PATH_RAW') || '/*.parquet');`,
        'lookup.csv': 'a,b\n1,x\n',
      },
      { storage: (root) => createFileStorage({ root, durable: false }) },
    );
  });
  afterAll(() => world.stop());

  function sql(
    text: string | { file: string },
    over: Partial<Assignment> & { variables?: Record<string, unknown> } = {},
  ): Assignment {
    const { variables = {}, ...rest } = over;
    const from = typeof text === 'string' ? { text, file: null } : { text: null, file: text.file };
    return anAssignment({ body: { kind: 'sql', ...from, variables }, ...rest });
  }
  const raw = { name: 'raw', variable: 'PATH_RAW', location: 'p/raw' };

  test('reads a file of the release, writes parquet, and its last one-row select is the outputs', async () => {
    const context = { ...anAssignment().context, params: { rows: 1000 } };
    const task = sql(
      { file: 'sql/write.sql' },
      { context, writes: [raw], env: { DS: '2026-01-01', PARAM_ROWS: '1000' } },
    );
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(result.outputs).toEqual({ rows: 1000, top: 999, share: 1.5, ds: '2026-01-01' });
    expect(result.versions).toMatchObject([{ name: 'raw', location: 'p/raw', files: 1 }]);
    expect(world.logOf(task)[0]).toMatch(/^out \[1\/2\] copy: 1000 rows in \d/);
  });

  test('has as many threads as it asked for processors, and two thirds of the memory before it spills to disk', async () => {
    const text = "select current_setting('threads') as threads, current_setting('memory_limit') as memory";
    const asks = await world.run(sql(text, { resources: { cpu: 2.5, memory: 300 * 2 ** 20 } }));
    expect(asks.outputs).toEqual({ threads: 3, memory: '200.0 MiB' });
    expect((await world.run(sql(text))).outputs).toMatchObject({ threads: 2 });
  });

  test('reads a window of partitions through a folder of links', async () => {
    const context = { ...anAssignment().context, params: { rows: 10 } };
    const written = await Promise.all(
      [1, 2].map(() => world.run(sql({ file: 'sql/write.sql' }, { context, writes: [raw] }))),
    );
    const versions = written.map(({ versions: [one] }, index) => ({ ...one!, link: `ds=2026-01-0${index + 1}` }));
    const task = sql(
      `select count(*)::int as rows, max(ds)::varchar as newest from read_parquet(getvariable('PATH_RAW') || '/*/*.parquet', hive_partitioning = true)`,
      {
        reads: [{ name: 'raw', variable: 'PATH_RAW', versions }],
      },
    );
    expect((await world.run(task)).outputs).toEqual({ rows: 20, newest: '2026-01-02' });
  });

  test('takes values of every kind as variables, whatever they hold', async () => {
    const evil = `x'; copy (select 1) to '${world.folder}/canary'; --`;
    const task = sql(
      `select getvariable('__E1') as text, getvariable('__E2') + 1 as n, getvariable('__E3') as real, getvariable('__E4') is null as none,
       getvariable('__E5') as yes, (getvariable('__E6')::json)->>'$.k' as k, getvariable('PARAM_' || 'X') as computed`,
      {
        variables: { __E1: evil, __E2: 41, __E3: 0.5, __E4: null, __E5: true, __E6: { k: evil } },
        env: { PARAM_X: evil },
      },
    );
    expect((await world.run(task)).outputs).toEqual({
      text: evil,
      n: 42,
      real: 0.5,
      none: true,
      yes: true,
      k: evil,
      computed: evil,
    });
    expect(existsSync(join(world.folder, 'canary'))).toBe(false);
  });

  test('reads the data folders of the environment, and only those', async () => {
    const data = join(import.meta.dirname, '..', '..', 'node_modules', 'vega-datasets', 'data');
    const withData = await anExecutor({}, { dataFolders: () => [data] });
    const count = sql(`select count(*) as flights from '${data}/flights-3m.parquet'`);
    expect((await withData.run(count)).outputs).toEqual({ flights: 3_000_000 });
    await withData.stop();
    expect((await world.run(sql(`select count(*) from '${data}/flights-3m.parquet'`))).outcome).toMatchObject({
      message: expect.stringMatching(/^Permission Error/),
    });
  });

  test('reads the release relatively, and big numbers as text', async () => {
    const result = await world.run(sql(`select b, 9007199254740993 as big, [1::bigint] as list from 'lookup.csv'`));
    expect(result.outputs).toEqual({ b: 'x', big: '9007199254740993', list: [1] });
  });

  test.each([
    [`select * from read_text('/etc/passwd')`, /Permission Error: Cannot access file "\/etc\/passwd".* \(line 1\)/],
    [`copy (select 1) to '/tmp/sluice-canary.csv'`, /Permission Error/],
    [`set enable_external_access = true`, /Cannot enable external access/],
    [`set allowed_directories = ['/']`, /Cannot change allowed_directories/],
    [`attach '/tmp/sluice-canary.db'`, /Permission Error/],
    [`select 1;\n\nselec 2`, /Parser Error: syntax error at or near "selec" \(line 3\)/],
    [`select 1;\nselect nope\nfrom range(3)`, /column "nope" not found.*\(line \d\)/],
    [`select error('row 7 is bad')`, /Invalid Input Error: row 7 is bad/],
  ])('%s fails and says why', async (text, message) => {
    const task = sql(text);
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'failed', exitCode: null, message: expect.stringMatching(message) });
  });

  test('is killed when it is cancelled in the middle of a query', async () => {
    const task = sql(
      `select 1 as started; select count(*) from range(100000000) a, range(100000000) b where a.range * b.range = 7`,
    );
    const result = world.run(task);
    await world.lineOf(task, /\[1\/2\] select/);
    world.executor.cancel(task.attemptId, 'too slow');
    expect((await result).outcome.kind).toBe('cancelled');
    expect((await world.run(sql('select 1 as one'))).outputs).toEqual({ one: 1 });
  });
});
