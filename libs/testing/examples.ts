import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

const NEEDS_CLUSTER = 'needs a cluster';
const REPLACES_PACKAGES = 'would replace the packages that the test runs on';

/** Lines of examples that no test can execute, by page, each with its reason. Everything else is executed. */
export const NOT_EXECUTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm ci && npm start': `npm ci ${REPLACES_PACKAGES}; npm start is executed from docs/example.md`,
    'npm ci && npm test': 'is what executes everything else',
  },
  'docs/kubernetes.md': {
    'docker build -t sluice:local . && kind load docker-image sluice:local': 'needs Docker and a cluster',
    'kubectl apply -f deploy/kubernetes/overlays/dev/namespace.yaml': NEEDS_CLUSTER,
    'kubectl apply -k deploy/kubernetes/overlays/dev': `${NEEDS_CLUSTER}; scripts/kubernetes-manifests.test.ts renders it`,
    'kubectl rollout status deployment/sluice-api': NEEDS_CLUSTER,
    'kubectl port-forward service/sluice-api 7460 &': NEEDS_CLUSTER,
    'kubectl get jobs -l app.kubernetes.io/managed-by=sluice -L sluice/run,sluice/task': NEEDS_CLUSTER,
  },
  'CONTRIBUTING.md': {
    'npm ci': REPLACES_PACKAGES,
    'npm start': 'is executed from docs/example.md',
    'npm run check': 'is a part of npm test',
    'npm test': 'is what executes everything else',
    'npm test -- libs/dag': 'is a part of npm test',
    'npm run bench -- L1': 'takes minutes; bench/results has what came of it',
    'npm run fault -- kill': 'takes minutes; bench/fault/kill.e2e.test.ts is a short form',
  },
};

interface Block {
  /** Empty where the page names none. */
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks of a page, without the lines that cannot be executed; a block of nothing else is left out. */
export function blocksOf(page: string): Block[] {
  return [...readPage(page).matchAll(/^ *```(.*?)\n(.*?)^ *```$/gms)].flatMap(([, language = '', whole = '']) => {
    const text = whole
      .split('\n')
      .filter((line) => !(commandOf(line) in (NOT_EXECUTED[page] ?? {})))
      .join('\n');
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

/** A line without its comment. */
export function commandOf(line: string): string {
  return line.replace(/\s+#.*/, '');
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
