import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blocksOf, commandOf, NOT_EXECUTED } from '../libs/testing/examples.ts';

/** Drawings and listings of folders, which nothing can execute. */
const DRAWN = 'drawn';
const TOURS = 'apps/standalone/readme.e2e.test.ts';
const DEMO = 'apps/standalone/demo.e2e.test.ts';
const CACHE = 'libs/engine/cache/cache.db.test.ts';
const VALID = 'libs/dag/docs.test.ts';
const PRINTED = 'apps/cli/docs-output.test.ts';
const TESTED = 'apps/cli/test/docs.test.ts';
const IMPORT = 'apps/cli/commands/import.test.ts';

/**
 * How many blocks in which language a page has, and which tests execute them, hold them against the program or compare
 * what it prints with them. A block that is added is no longer what stands here: see that one of these tests executes it
 * (most take all there are; others refuse a number that they do not know), then count it.
 */
const EXAMPLES: Readonly<Record<string, Readonly<Record<string, readonly [count: number, ...by: string[]]>>>> = {
  'README.md': { console: [4, TOURS] },
  'ARCHITECTURE.md': { text: [1, DRAWN], mermaid: [2, 'libs/core/architecture.test.ts'] },
  'docs/acting.md': { sh: [3, TOURS], yaml: [2, VALID] },
  'docs/cache.md': { yaml: [1, VALID, CACHE], text: [1, CACHE] },
  'docs/checks.md': { yaml: [1, VALID, TOURS], sh: [1, TOURS] },
  'docs/ci.md': { text: [1, DRAWN], sh: [1, TOURS], groovy: [1, 'jenkins/project-pipelines.test.ts'] },
  'docs/environments.md': { console: [1, PRINTED], sh: [3, TOURS], yaml: [2, VALID] },
  'docs/example.md': { text: [2, DRAWN, DEMO], sh: [1, DEMO] },
  'docs/from-airflow.md': { sh: [2, IMPORT], python: [1, IMPORT, VALID], yaml: [2, IMPORT] },
  'docs/groups.md': { yaml: [3, VALID] },
  'docs/history.md': {
    yaml: [1, VALID],
    console: [1, PRINTED],
    text: [1, DRAWN],
    sh: [1, 'libs/platform/history/archive-runs.db.test.ts'],
  },
  'docs/kubernetes.md': {
    text: [1, DRAWN],
    sh: [2, 'scripts/kubernetes-manifests.test.ts', 'bench/fault/kubernetes.e2e.test.ts'],
    yaml: [1, 'libs/platform/kubernetes-settings.test.ts'],
  },
  'docs/limits.md': { yaml: [2, VALID] },
  'docs/operations.md': { text: [1, DRAWN], sh: [1, TOURS], yaml: [2, VALID] },
  'docs/pipeline-file.md': { yaml: [6, VALID, TESTED], js: [1, TESTED] },
  'docs/promotion.md': { yaml: [2, TOURS], console: [7, TOURS] },
  'docs/replicas.md': { yaml: [1, VALID], python: [1, 'libs/runner/run-replicas.test.ts'] },
  'docs/task-kinds.md': {
    yaml: [11, VALID, TESTED, 'libs/engine/calls.db.test.ts'],
    js: [1, TESTED],
    python: [1, 'libs/runner/spark-runner.test.ts'],
  },
  'docs/testing-pipelines.md': { yaml: [3, TESTED, VALID], console: [2, TESTED], sh: [1, TOURS] },
  'docs/triggers.md': { yaml: [3, VALID, TOURS], sh: [2, TOURS] },
  'docs/verify.md': { console: [2, PRINTED], yaml: [2, VALID] },
  'docs/workers.md': { text: [1, DRAWN], sh: [2, 'bench/fault/workers.e2e.test.ts'] },
  'libs/storage/README.md': { text: [1, DRAWN] },
};

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const PAGES = spawnSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).stdout.trim().split('\n');

// Written from the program itself, and compared with it by apps/cli/reference.test.ts.
describe.each(PAGES.filter((page) => page !== 'docs/cli.md'))('the examples of %s', (page) => {
  const known = Object.entries(EXAMPLES[page] ?? {});

  test('are known, each with its language', () => {
    const counts: Record<string, number> = {};
    for (const { language } of blocksOf(page)) counts[language] = (counts[language] ?? 0) + 1;
    expect(counts).toEqual(Object.fromEntries(known.map(([language, [count]]) => [language, count])));
  });

  test('are executed by tests that name the page', () => {
    const tests = new Set(known.flatMap(([, [, ...by]]) => by).filter((by) => by !== DRAWN));
    expect([...tests].filter((file) => !read(file).includes(page))).toEqual([]);
  });

  test('that cannot be executed are still there', () => {
    const commands = read(page).split('\n').map(commandOf);
    expect(Object.keys(NOT_EXECUTED[page] ?? {}).filter((command) => !commands.includes(command))).toEqual([]);
  });
});

test('no page is known for examples that is gone', () => {
  expect([...Object.keys(EXAMPLES), ...Object.keys(NOT_EXECUTED)].filter((page) => !PAGES.includes(page))).toEqual([]);
});

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
