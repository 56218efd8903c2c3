import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { examplesOf } from '../../../libs/testing/examples.ts';
import { sluice } from '../fixture/test-io.ts';
import { packageRoot } from '../package-root.ts';

/** A folder with these files; an example says on its first line which file it is. */
async function projectOf(files: Readonly<Record<string, string>>, ...examples: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  const named = examples.map((text) => [/^(?:#|\/\/) (\S+)/.exec(text)?.[1] ?? '', text]);
  for (const [file = '', text = ''] of [...Object.entries(files), ...named]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}

let root: string;
let shown: string[];
beforeAll(async () => {
  root = await projectOf({}, ...examplesOf('docs/testing-pipelines.md', 'yaml').slice(0, 2));
  shown = examplesOf('docs/testing-pipelines.md', 'console', 2).map((text) => text.replace(/^\$.*\n/, ''));
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
  const pipeline = examplesOf('docs/pipeline-file.md', 'yaml').find((text) => text.startsWith('name: orders-sums\n'));
  // Tests have no secrets, and folders need none.
  const open = pipeline?.replace(/ +secrets: .*\n/, '') ?? '';
  const tests = `pipeline: orders-sums
tests:
  orders are summed up:
    tasks: { load: { writes: { raw: { orders.csv: [{ n: 2 }, { n: 40 }] } } }, sum: real }
    golden: true
    expect: { state: success, tasks: { sum: { wrote: { sums: sum.csv } } } }
`;
  const files = { 'dags/orders-sums.yaml': open, 'dags/tests/orders-sums.yaml': tests };
  const project = await projectOf(files, ...examplesOf('docs/pipeline-file.md', 'js', 1));
  const golden = join(project, 'dags/tests/golden/orders-sums.json');
  try {
    await symlink(join(packageRoot(), 'node_modules'), join(project, 'node_modules'));
    expect(await sluice(['test', '--update'], { cwd: project })).toMatchObject({ code: 0 });
    expect(await readFile(golden, 'utf8')).toContain(createHash('sha256').update('n\n42\n').digest('hex'));
  } finally {
    await rm(project, { recursive: true });
  }
});

test('the plugin of docs/task-kinds.md greets', async () => {
  const manifest = examplesOf('docs/task-kinds.md', 'yaml').filter((text) => text.includes('plugins/greet'));
  const tests = `pipeline: hello
tests:
  somebody is greeted:
    tasks: { greet: real }
    expect: { tasks: { greet: { outputs: { hello: Ann }, metrics: { letters: 3 } } } }
`;
  const files = {
    'dags/hello.yaml': 'name: hello\ntasks: { greet: { uses: greet@1, with: { who: Ann } } }\n',
    'dags/tests/hello.yaml': tests,
  };
  const project = await projectOf(files, ...manifest, ...examplesOf('docs/task-kinds.md', 'js', 1));
  try {
    expect(await sluice(['test'], { cwd: project })).toMatchObject({ code: 0 });
  } finally {
    await rm(project, { recursive: true });
  }
});
