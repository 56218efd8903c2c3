import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeProject } from '../init/write-project.ts';
import { checkProject } from './check-project.ts';
import { environmentFiles, findProject } from './project.ts';

const SCHEMAS = { pipeline: {}, tests: {} };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-project-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(file: string, text = ''): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

describe('a project', () => {
  test('is the nearest folder upward with dags/', async () => {
    await put('dags/team/x.yaml');
    expect(await findProject(join(root, 'dags', 'team'))).toEqual({ root });
  });

  test('that is not there is an error with a remedy', async () => {
    await expect(findProject(root)).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('sluice init'),
    });
  });

  test('has environments where there are some', async () => {
    expect(await environmentFiles({ root })).toEqual([]);
    for (const file of ['environments/prod.yml', 'environments/dev.yaml', 'environments/notes.txt'])
      await put(file, 'x');
    expect(await environmentFiles({ root })).toEqual([
      { path: 'environments/dev.yaml', text: 'x' },
      { path: 'environments/prod.yml', text: 'x' },
    ]);
  });

  test('does not read a huge file to its end', async () => {
    await put('environments/huge.yaml', 'x'.repeat(5 * 1024 * 1024));
    const [file] = await environmentFiles({ root });
    expect(file?.text.length).toBe(2 * 1024 * 1024);
  });
});

test('a mistake in a part that two pipelines have is told once, in the part', async () => {
  await put('dags/_base.yaml', 'tasks:\n  a: { run: x, timeout: soon }\n');
  await put('dags/one.yaml', 'name: one\nextends: _base.yaml\n');
  await put('dags/two.yaml', 'name: two\nextends: _base.yaml\n');
  const checked = await checkProject({ root });
  expect(checked.map(({ path, problems }) => [path, problems.map(({ file, line }) => `${file}:${line}`)])).toEqual([
    ['dags/_base.yaml', ['dags/_base.yaml:2']],
    ['dags/one.yaml', []],
    ['dags/two.yaml', []],
  ]);
});

describe('init', () => {
  test('writes the files of a project', async () => {
    const written = await writeProject(root, 'etl', { pipeline: { type: 'object' }, tests: {} });
    expect(written.map(({ file, was }) => `${file} ${was}`)).toMatchInlineSnapshot(`
     [
       "dags/hello.yaml written",
       "dags/hello/count.mjs written",
       "environments/dev.yaml written",
       "environments/prod.yaml written",
       "environments/test.yaml written",
       ".vscode/settings.json written",
       "dags/orders.yaml written",
       "dags/orders/clean.mjs written",
       "dags/orders/extract.mjs written",
       "dags/orders/summarise.mjs written",
       ".sluice/schema/pipeline.json renewed",
       ".sluice/schema/tests.json renewed",
       ".gitignore written",
     ]
    `);
    expect(await readFile(join(root, '.sluice/schema/pipeline.json'), 'utf8')).toBe('{\n  "type": "object"\n}\n');
  });

  test('never changes a file that is there, and says so', async () => {
    await put('dags/hello.yaml', 'mine');
    await put('.gitignore', 'node_modules');
    const written = await writeProject(root, null, SCHEMAS);
    expect(await readFile(join(root, 'dags/hello.yaml'), 'utf8')).toBe('mine');
    expect(await readFile(join(root, '.gitignore'), 'utf8')).toBe('node_modules\n.sluice/\n');
    expect(written.filter(({ was }) => was !== 'written')).toEqual([
      { file: 'dags/hello.yaml', was: 'left as it is' },
      { file: '.sluice/schema/pipeline.json', was: 'renewed' },
      { file: '.sluice/schema/tests.json', was: 'renewed' },
      { file: '.gitignore', was: 'amended' },
    ]);
  });

  test('a second time changes nothing', async () => {
    await writeProject(root, 'ml', SCHEMAS);
    const again = await writeProject(root, 'ml', SCHEMAS);
    expect(new Set(again.map(({ was }) => was))).toEqual(new Set(['left as it is', 'renewed']));
  });

  test('does not write through a link', async () => {
    await put('elsewhere/target', 'mine');
    await mkdir(join(root, 'dags'));
    await symlink(join(root, 'elsewhere/target'), join(root, 'dags/hello.yaml'));
    await writeProject(root, null, SCHEMAS);
    expect(await readFile(join(root, 'elsewhere/target'), 'utf8')).toBe('mine');
  });
});
