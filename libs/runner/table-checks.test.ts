import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Assignment, TableCheck } from '#core';
import { quarantineOf } from '#core';
import { createFileStorage } from '#storage';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

const ROWS = `select * from (values (1, 'DE', 5.0, timestamp '2026-01-01 06:00'), (2, 'FR', -900.0, timestamp '2026-01-01 07:00'),
  (2, null, 7.0, timestamp '2026-01-01 08:00'), (4, 'XX', null, null)) t (id, country, delay, seen)`;

describe('checks over rows', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor({}, { storage: (root) => createFileStorage({ root, durable: false }) });
  });
  afterAll(() => world.stop());

  const raw = { name: 'raw', variable: 'PATH_RAW', location: 'p/raw' };
  const aside = { name: quarantineOf('raw'), variable: 'QUARANTINE_RAW', location: '_quarantine/p/raw' };
  const check = (
    test: TableCheck['test'],
    onFail: TableCheck['onFail'] = 'warn',
    name: string = test.kind,
  ): TableCheck => ({
    ...{ name, path: 'raw', onFail, test },
  });
  /** Writes the rows in this format, in two files, and looks at them. */
  function writing(checks: readonly TableCheck[], { format = 'parquet', more = '' } = {}): Assignment {
    const out = (file: string, where: string): string =>
      `copy (select * from (${ROWS}) where ${where}) to (getvariable('PATH_RAW') || '/${file}.${format}') (format ${format});`;
    const text = `${out('a', 'id < 2')} ${out('b', 'id >= 2')} ${more}`;
    const isPutAside = checks.some(({ onFail }) => onFail === 'quarantine');
    return anAssignment({
      body: { kind: 'sql', text, file: null, variables: {} },
      writes: isPutAside ? [raw, aside] : [raw],
      tables: { checks, reference: '2026-01-02T00:00:00.000Z' },
    });
  }
  const shown = (result: Awaited<ReturnType<ExecutorFixture['run']>>): unknown[] =>
    (result.checks ?? []).map(({ name, state, rows, bad, detail }) => [name, state, rows, bad, detail]);

  test('each kind counts its bad rows and shows some of them', async () => {
    const result = await world.run(
      writing([
        check({ kind: 'not_null', columns: ['country', 'delay'] }),
        check({ kind: 'unique', columns: ['id'] }),
        check({ kind: 'range', column: 'delay', min: -240, max: 3000 }),
        check({ kind: 'values', column: 'country', values: ['DE', 'FR'] }),
        check({ kind: 'rows', min: 10, max: null, last: null, within: null }),
        check({ kind: 'fresh', column: 'seen', withinMs: 3_600_000 }),
        check({ kind: 'sql', text: 'select id from raw where id > 3' }),
        check({ kind: 'range', column: 'nope', min: 0, max: null }, 'warn', 'no such column'),
        check({ kind: 'unique', columns: ['id', 'country'] }, 'fail', 'fine'),
      ]),
    );
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(shown(result)).toEqual([
      ['not_null', 'warned', 4, 2, '2 of 4 rows'],
      ['unique', 'warned', 4, 1, '1 of 4 rows'],
      ['range', 'warned', 4, 1, '1 of 4 rows'],
      ['values', 'warned', 4, 1, '1 of 4 rows'],
      ['rows', 'warned', 4, null, '4 rows, at least 10 are expected'],
      [
        'fresh',
        'warned',
        4,
        null,
        'the newest value is 2026-01-01T08:00:00.000Z, 57600 s old; at most 3600 s is allowed',
      ],
      ['sql', 'warned', 4, 1, '1 of 4 rows'],
      ['no such column', 'warned', 4, null, expect.stringMatching(/^cannot be evaluated \(.*nope/)],
      ['fine', 'passed', 4, 0, 'holds'],
    ]);
    expect(result.checks?.[2]?.sample).toEqual([
      { id: 2, country: 'FR', delay: '-900.0', seen: '2026-01-01 07:00:00' },
    ]);
  });

  test('one that fails ends the attempt before anything is published', async () => {
    const task = writing([check({ kind: 'range', column: 'delay', min: -240, max: null }, 'fail', 'delays')]);
    const result = await world.run(task);
    expect(result).toMatchObject({
      outcome: { kind: 'failed', message: 'check "delays" failed: 1 of 4 rows' },
      versions: [],
      checks: [{ state: 'failed', bad: 1 }],
    });
    expect(world.logOf(task).at(-1)).toContain('check "delays" failed');
  });

  test.each(['parquet', 'csv', 'json'])(
    'bad rows of %s files are put aside, and the others published',
    async (format) => {
      const checks = [
        check({ kind: 'range', column: 'delay', min: -240, max: null }, 'quarantine', 'delays'),
        check({ kind: 'sql', text: 'select * from raw where country is null' }, 'quarantine', 'known country'),
        check({ kind: 'unique', columns: ['id'] }, 'quarantine', 'one each'),
      ];
      const result = await world.run(writing(checks, { format }));
      expect(shown(result)).toEqual([
        ['delays', 'quarantined', 4, 1, '1 of 4 rows'],
        ['known country', 'quarantined', 4, 1, '1 of 4 rows'],
        ['one each', 'quarantined', 4, 1, '1 of 4 rows'],
      ]);
      expect(result.versions.map(({ name, files }) => [name, files])).toEqual([
        ['raw', 2],
        ['raw.quarantine', 1],
      ]);
      const reading = (name: string, columns: string): Assignment => {
        const versions = [{ ...result.versions.find((one) => one.name === name)!, link: null }];
        const text = `select string_agg(${columns}, ' ' order by id) as found from read_${format === 'parquet' ? format : `${format}_auto`}(getvariable('PATH_X') || '/*')`;
        return anAssignment({
          body: { kind: 'sql', text: text.replace('/*', `/*.${format}`), file: null, variables: {} },
          reads: [{ name: 'x', variable: 'PATH_X', versions }],
        });
      };
      expect((await world.run(reading('raw', "id || coalesce(country, '-')"))).outputs).toEqual({ found: '1DE 4XX' });
      expect(
        (await world.run(reading('raw.quarantine', "coalesce(country, '-') || '=' || _check"))).outputs.found,
      ).toMatch(/^(FR=delays -=known country; one each|-=known country; one each FR=delays)$/);
    },
  );

  test('where nothing is bad the files stay as they are, and an empty quarantine says so', async () => {
    const result = await world.run(writing([check({ kind: 'not_null', columns: ['id'] }, 'quarantine')]));
    expect(result.versions.map(({ name, files }) => [name, files])).toEqual([
      ['raw', 2],
      ['raw.quarantine', 0],
    ]);
  });

  test('files of no known kind, or of two, are no table', async () => {
    const two = `copy (select 1 as id) to (getvariable('PATH_RAW') || '/c.csv');`;
    const result = await world.run(writing([check({ kind: 'not_null', columns: ['id'] }, 'fail')], { more: two }));
    expect(result.outcome).toMatchObject({
      message: 'check "not_null" failed: cannot be evaluated (raw holds both parquet and csv files)',
    });
  });

  test('rows are looked at with what the task asked for, and the process that does is not the attempt’s', async () => {
    const others = "current_setting('threads') <> 3 or current_setting('memory_limit') <> '200.0 MiB'";
    const task = writing([check({ kind: 'sql', text: `select id from raw where ${others}` }, 'fail')]);
    const result = await world.run({ ...task, resources: { cpu: 2.5, memory: 300 * 2 ** 20 } });
    expect(result.outcome).toEqual({ kind: 'success' });
    const began = world.reports.filter((one) => one.kind === 'started' && one.attemptId === task.attemptId);
    expect(began).toHaveLength(1);
  });

  test('a shell task is looked at in the same way, and SQL in a check reaches nothing but its files', async () => {
    const result = await world.run(
      anAssignment({
        body: { kind: 'run', script: `printf 'id\\n1\\n2\\n' > "$PATH_RAW/a.csv"` },
        writes: [raw],
        tables: {
          checks: [
            check({ kind: 'unique', columns: ['id'] }, 'fail'),
            check({ kind: 'sql', text: "select * from read_text('/etc/passwd')" }, 'warn', 'elsewhere'),
          ],
          reference: null,
        },
      }),
    );
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(result.checks?.map(({ state }) => state)).toEqual(['passed', 'warned']);
    expect(result.checks?.[1]?.detail).toMatch(/cannot be evaluated/);
  });
});
