import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
