import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sluice } from '../fixture/test-io.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-plugins-'));
  await put('dags/p.yaml', 'name: p\ntasks: { a: { uses: dbt@1, with: { project: shop } } }\n');
});
afterEach(() => rm(root, { recursive: true }));
const run = (...argv: string[]) => sluice(argv, { cwd: root });

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

describe('plugins', () => {
  test('that come with Sluice are added as files of the project, and then they validate', async () => {
    expect((await run('validate')).out).toContain('sluice plugins add dbt');
    expect(await run('plugins', 'add', 'dbt')).toMatchObject({ code: 0 });
    expect(await run('validate')).toMatchObject({ code: 0, out: '' });
    await put('dags/p.yaml', 'name: p\ntasks: { a: { uses: dbt@1, with: { projct: shop } } }\n');
    const { code, out } = await run('validate');
    expect(code).not.toBe(0);
    expect(out).toContain('dags/p.yaml:2:36');
    expect(out).toContain('Did you mean "project"?');
  });

  test('are listed with who uses them', async () => {
    await run('plugins', 'add', 'dbt');
    await put('dags/plugins/mine/plugin.yaml', 'name: mine\n');
    const { code, out } = await run('plugins', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(out) as object[]).map((row) => ({ ...row, description: '' }))).toEqual([
      { name: 'dbt', version: '1.0.0', state: 'added', from: 'dags/plugins/dbt', usedBy: ['p'], description: '' },
      { name: 'mine', version: null, state: 'broken', from: 'dags/plugins/mine', usedBy: [], description: '' },
      {
        name: 'mlflow',
        version: '1.0.0',
        state: 'available',
        from: 'sluice plugins add mlflow',
        usedBy: [],
        description: '',
      },
    ]);
  });

  test('from npm are noted with their exact version, which is brought up to date', async () => {
    const manifest = 'name: hi # kept\nversion: 0.0.0\nentry: run.js\nwith: { type: object }\n';
    await put('node_modules/@acme/hi/package.json', '{ "version": "2.1.0" }');
    await put('node_modules/@acme/hi/plugin.yaml', manifest);
    expect(await run('plugins', 'add', '@acme/hi')).toMatchObject({ code: 0 });
    const file = join(root, 'dags/plugins/hi/plugin.yaml');
    expect(await readFile(file, 'utf8')).toBe(
      'name: hi # kept\nversion: 2.1.0\nentry: run.js\nwith: { type: object }\npackage: "@acme/hi"\n',
    );
    await put('node_modules/@acme/hi/package.json', '{ "version": "2.2.0" }');
    expect((await run('plugins', 'add', '@acme/hi')).err).toContain('dags/plugins/hi/plugin.yaml: renewed');
    await writeFile(file, manifest);
    expect((await run('plugins', 'add', '@acme/hi')).err).toContain('dags/plugins/hi/plugin.yaml is another plugin.');
  });

  test.each(['../dbt', '/etc', 'a/../../b', '.hidden', '@acme', 'nothing-of-this-name'])(
    '%s cannot be added',
    async (name) => {
      const { code, err } = await run('plugins', 'add', name);
      expect(code).not.toBe(0);
      expect(err).toMatch(/is neither a plugin of Sluice nor the name|There is no plugin/);
    },
  );
});
