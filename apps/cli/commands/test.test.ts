import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sluice } from '../fixture/test-io.ts';
import { packageRoot } from '../package-root.ts';

const SHOP = `
name: shop
paths: { raw: raw, sums: sums }
tasks:
  load: { run: "echo never executed; exit 1", writes: [raw] }
  sum:
    run: awk -F, 'NR > 1 { s += $2 } END { print s }' "$PATH_RAW/rows.csv" > "$PATH_SUMS/sum.txt"; echo "::metric name=total value=$(cat "$PATH_SUMS/sum.txt")::"
    reads: [raw]
    writes: [sums]
    metrics: [total]
`;
const TESTS = `pipeline: shop
tests:
  good rows are summed up:
    tasks:
      load: { writes: { raw: { rows.csv: [{ id: a, n: 2 }, { id: b, n: 40 }] } } }
      sum: real
    golden: true
    expect: { state: success, tasks: { sum: { metrics: { total: 42 }, wrote: { sums: sum.txt } } } }
  a load that fails fails the run:
    tasks: { load: failed }
    expect: { state: failed, tasks: { sum: success } }
`;

let root: string;
const put = async (file: string, text: string) => {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
};
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-tests-'));
  await put('dags/shop.yaml', SHOP);
  await put('dags/tests/shop.yaml', TESTS);
});
afterAll(() => rm(root, { recursive: true }));
const run = (...argv: string[]) => sluice(['test', ...argv], { cwd: root });

describe('sluice test', () => {
  test('executes real tasks on given files, keeps golden results, and says what is not as expected, with its place', async () => {
    const missing = await run('summed');
    expect([missing.code, missing.out]).toEqual([
      7,
      expect.stringMatching(/dags\/tests\/shop\.yaml:7:13: There is no golden result of this test yet/),
    ]);
    expect((await run('--update', 'summed')).code).toBe(0);
    const golden = join(root, 'dags/tests/golden/shop.json');
    expect(JSON.parse(await readFile(golden, 'utf8'))).toMatchObject({
      'good rows are summed up': { state: 'success', tasks: { sum: { metrics: { total: 42 } } } },
    });
    const { code, out, err } = await run('--junit', 'out.xml');
    expect([code, out]).toEqual([
      7,
      expect.stringMatching(
        /^✓ shop good rows are summed up.*\n✗ shop a load that fails fails the run\n {2}dags\/tests\/shop\.yaml:11:44: Task sum is upstream_failed .*; expected success\.\n$/,
      ),
    ]);
    expect(err).toMatch(/^2 tests in \d+ ms: 1 failed\.\n$/);
    expect(await readFile(join(root, 'out.xml'), 'utf8')).toMatch(
      /<testsuite name="sluice test" tests="2" failures="1" [^]*<testcase classname="sluice.test.shop" name="good rows are summed up" file="dags\/tests\/shop.yaml"\/>[^]*<failure message="Task sum is/,
    );
    await put('dags/tests/golden/shop.json', (await readFile(golden, 'utf8')).replace('"total": 42', '"total": 41'));
    expect((await run('summed')).out).toContain(
      'The result is not the golden one: tasks.sum.metrics.total is 42, was 41.',
    );
  });

  test('prints one JSON document, and says when nothing was asked for', async () => {
    const { code, out } = await run('--json', 'FAILS the run');
    expect([code, JSON.parse(out)]).toEqual([
      7,
      expect.objectContaining({
        ...{ passed: 0, failed: 1, release: expect.stringMatching(/^[0-9a-f]{64}$/) },
        tests: [
          expect.objectContaining({
            pipeline: 'shop',
            state: 'failed',
            failures: [expect.objectContaining({ line: 11 })],
          }),
        ],
      }),
    ]);
    expect(await run('nothing')).toMatchObject({ code: 5, err: expect.stringContaining('There are tests of shop.') });
  });

  test('tests nothing when a file has problems; validate shows them, too', async () => {
    await put('dags/tests/broken.yaml', 'pipeline: shp\ntests: { x: { golden: true } }\n');
    const { code, err } = await run();
    expect([code, err]).toEqual([
      3,
      expect.stringContaining('dags/tests/broken.yaml:1:11: error: There is no pipeline "shp".'),
    ]);
    const validated = await sluice(['validate', '--json'], { cwd: root });
    expect(JSON.parse(validated.out)).toMatchObject({
      files: ['dags/shop.yaml', 'dags/tests/broken.yaml', 'dags/tests/shop.yaml'],
      problems: [{ file: 'dags/tests/broken.yaml', line: 1, column: 11 }],
    });
    await rm(join(root, 'dags/tests/broken.yaml'));
  });

  test('the examples pass, as far as they need no data', async () => {
    const filters = ['delay-model', 'delay-scores', 'half a day', 'catch-up', 'when it has ended'];
    const { code, err } = await sluice(['test', ...filters, '--quiet'], { cwd: packageRoot() });
    expect([code, err]).toEqual([0, '']);
  });
});
