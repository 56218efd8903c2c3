import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage } from '#storage';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

const SOURCE = join(import.meta.dirname, '..', '..', 'plugins', 'dbt');
const FILES = Object.fromEntries(
  readdirSync(SOURCE).map((name) => [`plugins/dbt/${name}`, readFileSync(join(SOURCE, name), 'utf8')]),
);

const result = (unique_id: string, status: string, more: object = {}): object => {
  return {
    unique_id,
    status,
    execution_time: 1.5,
    thread_id: 'Thread-1',
    timing: [],
    message: null,
    adapter_response: {},
    failures: null,
    ...more,
  };
};
/** As dbt 1.9 writes them. */
const RESULTS = {
  metadata: { dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v6.json', dbt_version: '1.9.4' },
  results: [
    result('model.shop.orders', 'success', { adapter_response: { rows_affected: 120 }, message: 'SELECT 120' }),
    result('model.shop.customers', 'error', { message: 'Database Error in model customers\n  no | such column' }),
    result('test.shop.unique_orders_id.abc123', 'fail', {
      failures: 3,
      message: 'Got 3 results, configured to fail if != 0',
    }),
    result('test.shop.not_null_orders_id.def456', 'pass', { failures: 0 }),
    result('model.shop.report', 'skipped'),
  ],
  elapsed_time: 3.2,
  args: {},
};
const MANIFEST = {
  metadata: { dbt_schema_version: 'https://schemas.getdbt.com/dbt/manifest/v12.json' },
  nodes: {
    'model.shop.orders': { name: 'orders', resource_type: 'model', depends_on: { nodes: [] } },
    'test.shop.unique_orders_id.abc123': {
      name: 'unique_orders_id',
      resource_type: 'test',
      depends_on: { nodes: ['model.shop.orders'] },
    },
  },
};

describe('the dbt plugin', () => {
  let world: ExecutorFixture;
  let bin: string;
  beforeAll(async () => {
    world = await anExecutor(
      { ...FILES, 'shop/dbt_project.yml': 'name: shop', 'shop/profiles.yml': 'shop: {}' },
      { storage: (root) => createFileStorage({ root, durable: false }) },
    );
    bin = join(world.folder, 'bin');
    mkdirSync(bin);
    // Stands for the program, which does not come with Sluice: it says what it was asked and leaves what dbt leaves.
    writeFileSync(join(bin, 'results.json'), JSON.stringify({ ...RESULTS, results: RESULTS.results.slice(0, 1) }));
    writeFileSync(
      join(bin, 'dbt'),
      `#!/bin/sh\necho "dbt $@"\nwhile [ "$1" != --target-path ]; do shift; done\nmkdir -p "$2"; cp ${bin}/results.json "$2/run_results.json"\n`,
    );
    chmodSync(join(bin, 'dbt'), 0o755);
  });
  afterAll(() => world.stop());

  const dbt = (input: object, over: Partial<Assignment> = {}): Assignment =>
    anAssignment({
      body: {
        ...{ kind: 'uses', plugin: 'dbt', version: '1.0.0', package: null, entry: 'plugin.mjs' },
        input: { ...input },
      },
      ...over,
    });

  async function readsOf(results: unknown): Promise<Partial<Assignment>> {
    const script = `cat > "$PATH_RAW/run_results.json" <<'END'\n${JSON.stringify(results)}\nEND\ncat > "$PATH_RAW/manifest.json" <<'END'\n${JSON.stringify(MANIFEST)}\nEND\n`;
    const written = await world.run(
      shell(script, { writes: [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }] }),
    );
    const [version] = written.versions;
    return { reads: [{ name: 'raw', variable: 'PATH_RAW', versions: [{ ...version!, link: null }] }] };
  }

  test('reads what dbt left: metrics and a table of models and tests, and fails with what failed', async () => {
    const reads = await readsOf(RESULTS);
    const warned = await world.run(dbt({ results: 'raw', on_failure: 'warn' }, reads));
    expect(warned.outcome).toEqual({ kind: 'success' });
    expect(warned.outputs).toEqual({
      ...{ models_passed: 1, models_failed: 1, tests_passed: 1, tests_failed: 1, warned: 0, skipped: 1 },
      failed: ['model.shop.customers', 'test.shop.unique_orders_id.abc123'],
      dbt_version: '1.9.4',
    });
    expect(warned.metrics.map(({ name, value }) => `${name}=${value}`)).toEqual(
      expect.arrayContaining(['dbt.orders.seconds=1.5', 'dbt.orders.rows=120', 'dbt.tests_failed=1']),
    );
    expect(warned.summary).toContain('dbt 1.9.4: 1 models and 1 tests passed, 2 failed, 0 warned, 1 skipped.');
    expect(warned.summary).toContain(
      '| ✗ | test | unique\\_orders\\_id | 1.50 |  | fail: 3 rows: Got 3 results, configured to fail if != 0 |',
    );
    const failed = await world.run(dbt({ results: 'raw' }, reads));
    expect(failed.outcome).toMatchObject({
      message: expect.stringContaining(
        'plugin dbt@1.0.0: Error: 2 of 5 failed: model customers (Database Error in model customers); test unique_orders_id (Got 3 results',
      ),
    });
    expect(failed.summary).toContain('customers');
  });

  test('runs dbt where it exists, away from the read-only release, and keeps its artifacts', async () => {
    const task = dbt(
      {
        project: 'shop',
        executable: join(bin, 'dbt'),
        select: 'orders+',
        vars: { day: '2026-01-01' },
        artifacts: 'out',
      },
      { writes: [{ name: 'out', variable: 'PATH_OUT', location: 'p/out' }] },
    );
    const { outcome, outputs, versions } = await world.run(task);
    expect([outcome.kind, outputs.models_passed, versions[0]?.files]).toEqual(['success', 1, 1]);
    const [line] = world.logOf(task);
    expect(line).toMatch(
      /^out dbt build --project-dir \S+\/shop --target-path \S+\/target --log-path \S+\/logs --profiles-dir \S+\/shop --select orders\+ --vars {"day":"2026-01-01"}$/,
    );
    expect(line).not.toContain(`--target-path ${world.releaseDir}`);
  });

  test.each<[string, object, RegExp]>([
    [
      'no dbt',
      { project: 'shop', executable: 'no-such-dbt' },
      /there is no "no-such-dbt" on the PATH of the server; install dbt-core/,
    ],
    ['a project outside of the release', { project: '../..' }, /no dbt_project\.yml in that folder of dags/],
    ['a path that is not read', { results: 'nope' }, /results is "nope", which the task does not read/],
    ['nothing to do', {}, /neither project nor results is given/],
  ])('%s', async (_title, input, message) => {
    expect((await world.run(dbt(input))).outcome).toMatchObject({ message: expect.stringMatching(message) });
  });

  test('a schema that it does not know is refused by name', async () => {
    const reads = await readsOf({
      ...RESULTS,
      metadata: { dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v9.json' },
    });
    expect((await world.run(dbt({ results: 'raw' }, reads))).outcome).toMatchObject({
      message: expect.stringContaining('expected run-results v4 to v6 (dbt 1.x)'),
    });
  });
});
