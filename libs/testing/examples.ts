import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Lines of examples that no test can execute, by page and beginning, each with its reason. Everything else is executed. */
export const NOT_EXECUTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm ci && npm start':
      'npm ci would replace the packages that the test runs on; `npm start` is executed from docs/example.md',
    'npm ci && npm test': 'is what executes everything else',
  },
  'docs/kubernetes.md': {
    'docker build': 'needs Docker, and a cluster for the image',
    'kubectl apply': 'needs a cluster; what is applied is rendered in scripts/kubernetes-manifests.test.ts',
    'kubectl rollout': 'needs a cluster',
    'kubectl port-forward': 'needs a cluster',
    'kubectl get': 'needs a cluster',
  },
  'CONTRIBUTING.md': {
    'npm ci': 'would replace the packages that the test runs on',
    'npm start': 'is executed from docs/example.md',
    'npm run check': 'is a part of npm test',
    'npm test': 'is what executes everything else',
    'npm run bench': 'takes minutes; results stand in bench/results',
    'npm run fault': 'takes minutes; results stand in bench/results',
  },
};

interface Block {
  /** Empty where the page names none. */
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks of a page, without the lines that cannot be executed; a block of nothing else is left out. */
export function blocksOf(page: string): Block[] {
  const beginnings = Object.keys(NOT_EXECUTED[page] ?? {});
  return [...readPage(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, language = '', whole = '']) => {
    const lines = whole.split('\n').filter((line) => !beginnings.some((beginning) => line.startsWith(beginning)));
    const text = lines.join('\n');
    return text.trim() === '' ? [] : [{ language, text }];
  });
}

/**
 * The blocks of one language in their order. A test that takes them one by one says how many there are, so that another
 * one is not passed over.
 */
export function examplesOf(page: string, language: string, count?: number): string[] {
  const examples = blocksOf(page).filter((block) => block.language === language);
  if (count !== undefined && examples.length !== count)
    throw new Error(
      `${page} has ${examples.length} examples in ${language}, and this test executes ${count}: execute the others, too`,
    );
  return examples.map(({ text }) => text);
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
