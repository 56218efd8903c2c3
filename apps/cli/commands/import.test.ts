import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examplesOf } from '../../../libs/testing/examples.ts';
import { runExample } from '../fixture/run-example.ts';
import { sluice } from '../fixture/test-io.ts';
import { packageRoot } from '../package-root.ts';

const FIXTURES = join(packageRoot(), 'libs/dag/import-airflow/fixtures');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-import-'));
  await cp(FIXTURES, join(root, 'airflow'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));
const run = (...argv: string[]) => sluice(argv, { cwd: root });

const python = process.env.SLUICE_TEST_PYTHON ?? '';
// Without a python3 they cannot run; `npm test` says how to get one (scripts/find-tools.mjs), and in CI that is a failure.
const testWithPython = python === '' ? test.skip : test;

describe('import airflow', () => {
  test('writes what validates, and says line by line what was lost', async () => {
    const { code, out, err } = await run('import', 'airflow', 'airflow/orders.yaml');
    expect([code, (await readdir(join(root, 'dags'))).sort()]).toEqual([0, ['orders', 'orders.yaml']]);
    expect(out).toContain(
      'airflow/orders.yaml:62:7: lost: `on_success_callback` of task "done" is not carried over.\n  hint: ',
    );
    expect(err).toContain('1 pipeline (2 files) in dags; ');
    expect(await run('validate')).toMatchObject({ code: 0, out: '' });
  });

  test('reads a folder, and leaves files that are there as they are', async () => {
    await mkdir(join(root, 'dags'));
    await writeFile(join(root, 'dags', 'orders.yaml'), 'mine');
    const { code, err } = await run('import', 'airflow', 'airflow');
    expect(code).toBe(0);
    expect(err).toContain('dags/orders.yaml was there already and stayed as it is.');
    expect(err).toContain('5 Python files not read');
    expect(await readFile(join(root, 'dags', 'orders.yaml'), 'utf8')).toBe('mine');
    await rm(join(root, 'dags', 'orders.yaml'));
    expect(await run('validate')).toMatchObject({ code: 0, out: '' });
  });

  test('--dry-run writes nothing; JSON names files, places and remedies', async () => {
    const { code, out } = await run('import', 'airflow', 'airflow/sales-airflow-3.1.json', '--dry-run', '--json');
    const report = JSON.parse(out) as { pipelines: string[]; files: object[]; notes: object[] };
    expect([code, report.pipelines, report.files[0]]).toEqual([
      0,
      ['sales-daily'],
      { file: 'sales-daily.yaml', was: 'planned' },
    ]);
    expect(report.notes).toContainEqual({
      file: 'airflow/sales-airflow-3.1.json',
      path: expect.stringMatching(/^\[0\]\.dag\.tasks\[\d\]\.__var\.pool$/),
      line: null,
      column: null,
      kind: 'changed',
      message: 'The pool "warehouse" has to exist in each environment.',
      hint: expect.stringContaining('environments/<name>.yaml'),
    });
    await expect(readdir(join(root, 'dags'))).rejects.toThrow('ENOENT');
  });

  test('a file without a DAG ends with 3, a folder without files with 2', async () => {
    await writeFile(join(root, 'x.yaml'), 'a: 1\n');
    await mkdir(join(root, 'empty'));
    expect(await run('import', 'airflow', 'x.yaml')).toMatchObject({ code: 3 });
    expect(await run('import', 'airflow', 'empty')).toMatchObject({ code: 2 });
    expect(await run('import', 'airflow', 'nothing.yaml')).toMatchObject({ code: 5 });
  });

  testWithPython('the Python tasks call what Airflow called', async () => {
    await run('import', 'airflow', 'airflow/sales-airflow-3.1.json');
    const folder = join(root, 'dags', 'sales-daily');
    const code =
      'def transform(table, day, **context): return [table, day, context["ds_nodash"]]\ndef choose(ds): return "a." + ds\n';
    await writeFile(join(folder, 'callables.py'), code);
    const script = `
from types import SimpleNamespace as N
import tasks
interval = N(start="2026-01-01T00:00:00Z", end="2026-01-02T00:00:00Z")
ctx = N(params={}, run_id="7", interval=interval, ds="2026-01-01", env={"AIRFLOW_1": "2026-01-01"}, matrix={})
print(tasks.run_transform(ctx), tasks.run_choose(ctx))`;
    const { stdout, stderr } = spawnSync(python, ['-c', script], { cwd: folder, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual([
      "{'return_value': ['orders', '2026-01-01', '20260101']} {'return_value': 'a.2026-01-01', 'branch': ['a.2026-01-01']}\n",
      '',
    ]);
  });
});

describe('docs/from-airflow.md', () => {
  const [fromFactory = '', fromPython = ''] = examplesOf('docs/from-airflow.md', 'sh', 2);
  const put = async (file: string, text: string) => {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), text);
  };

  test('brings a folder of dag-factory over', async () => {
    const [dag = '', pipeline] = examplesOf('docs/from-airflow.md', 'yaml', 2);
    await put('include/dags/airflow-orders.yaml', dag);
    const printed = await runExample(fromFactory, { cwd: root });
    expect(printed).toContain('include/dags/airflow-orders.yaml:12:5: lost: The command of task');
    expect(await readFile(join(root, 'dags/orders.yaml'), 'utf8')).toBe(pipeline);
    expect(await readdir(join(root, 'dags/orders'))).toEqual(['tasks.py']);
  });

  // Airflow itself is far too large: in its place stand modules that hand out what a real one exported.
  testWithPython.each([
    ['2.10', 'airflow/models/dagbag.py'],
    ['3.0', 'airflow/models/dagbag.py'],
    ['3.1', 'airflow/dag_processing/dagbag.py'],
  ])('exports the DAGs of an Airflow %s and brings them over', async (version, module) => {
    const exported = join(FIXTURES, `sales-airflow-${version}.json`);
    await put(
      'lib/airflow/serialization/serialized_objects.py',
      'class SerializedDAG:\n    to_dict = staticmethod(dict)\n',
    );
    await put(`lib/${module}`, STAND_IN);
    await put('bin/python3', `#!/bin/sh\nexec '${python}' "$@"\n`);
    await chmod(join(root, 'bin/python3'), 0o755);
    await cp(exported, join(root, 'home/dags/exported.json'), { recursive: true });
    await put('export_dags.py', examplesOf('docs/from-airflow.md', 'python', 1)[0] ?? '');
    const path = `${join(root, 'bin')}:${process.env.PATH ?? ''}`;
    const env = { PATH: path, AIRFLOW_HOME: join(root, 'home'), PYTHONPATH: join(root, 'lib') };
    expect(await runExample(fromPython, { cwd: root, env })).toContain('1 pipeline ');
    expect(JSON.parse(await readFile(join(root, 'dags.json'), 'utf8'))).toEqual(
      JSON.parse(await readFile(exported, 'utf8')),
    );
    expect(await readdir(join(root, 'dags'))).toContain('sales-daily.yaml');
  });
});

const STAND_IN = `
import json, os

class DagBag:
    def __init__(self, folder, include_examples):
        assert include_examples is False
        with open(os.path.join(folder, "exported.json")) as file:
            self.dags = dict(enumerate(json.load(file)))
        self.import_errors = {}
`;
