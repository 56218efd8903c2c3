import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const PAGES = spawnSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).stdout.trim().split('\n');

describe('the docs', () => {
  test.each(PAGES)('%s links to files that exist', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([]);
  });

  test('name every setting that the program reads', () => {
    const files = ['config', 's3-config', 'git-settings'].map((name) => read(`libs/platform/${name}.ts`)).join('');
    const names = [...files.matchAll(/(?:read\.\w+\(|secret\(read,)\s*'([A-Z0-9_]+)'/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(10);
    // Those for tests alone are named where tests are.
    const pages = `${read('docs/operations.md')}${read('libs/testing/README.md')}`;
    expect(names.filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
  });

  test('name only npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
