import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sluice } from '../fixture/test-io.ts';
import { packageRoot } from '../package-root.ts';

let root: string;
let shown: string[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  const page = await readFile(join(packageRoot(), 'docs', 'testing-pipelines.md'), 'utf8');
  for (const [, file = '', text = ''] of page.matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    // Places in the page count its line with the name of the file.
    await writeFile(join(root, file), `# ${file}\n${text}`);
  }
  shown = [...page.matchAll(/```console\n([^]*?)```/g)].map(([, text = '']) => text.replace(/^\$.*\n/, ''));
});
afterAll(() => rm(root, { recursive: true }));

const tested = async () => (await sluice(['test'], { cwd: root })).out.replace(/ \(\d+ ms\)/g, '');

describe('docs/testing-pipelines.md', () => {
  test('shows what its files print', async () => {
    expect(await tested()).toBe(shown[0]);
  });

  test('shows what an expectation that does not hold prints', async () => {
    const file = join(root, 'dags/tests/orders.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('took: 2h1m50s', 'took: 2h'));
    expect(await tested()).toContain(shown[1]);
  });
});

test('the task of docs/pipeline-file.md that opens the storage itself reads and writes it', async () => {
  const page = await readFile(join(packageRoot(), 'docs', 'pipeline-file.md'), 'utf8');
  const [, pipeline = ''] = /```yaml\n(name: orders-sums\n[^]*?)```/.exec(page) ?? [];
  // Tests have no secrets, and folders need none.
  const open = pipeline.replace(/ +secrets: .*\n/, '');
  const [, file = '', code = ''] = /```js\n\/\/ (\S+)\n([^]*?)```/.exec(page) ?? [];
  const tests = `pipeline: orders-sums
tests:
  orders are summed up:
    tasks: { load: { writes: { raw: { orders.csv: [{ n: 2 }, { n: 40 }] } } }, sum: real }
    golden: true
    expect: { state: success, tasks: { sum: { wrote: { sums: sum.csv } } } }
`;
  const project = await mkdtemp(join(tmpdir(), 'sluice-docs-uri-'));
  const golden = join(project, 'dags/tests/golden/orders-sums.json');
  try {
    const files = { 'dags/orders-sums.yaml': open, [file]: code, 'dags/tests/orders-sums.yaml': tests };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(project, name)), { recursive: true });
      await writeFile(join(project, name), text);
    }
    await symlink(join(packageRoot(), 'node_modules'), join(project, 'node_modules'));
    expect(await sluice(['test', '--update'], { cwd: project })).toMatchObject({ code: 0 });
    expect(await readFile(golden, 'utf8')).toContain(createHash('sha256').update('n\n42\n').digest('hex'));
  } finally {
    await rm(project, { recursive: true });
  }
});
