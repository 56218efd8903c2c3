import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { examplesOf } from '../../libs/testing/examples.ts';
import { PROGRAM_ROOT, type RunningStandalone, TestProject, until } from './standalone-fixture.ts';

const run = promisify(execFile);
const MOVER_SECRET = 'from the landing zone';

interface Step {
  readonly command: string;
  /** The lines that the page shows below the command. */
  readonly shown: readonly string[];
}

interface Page {
  readonly page: string;
  /** Texts of its yaml blocks that begin with the name of a file. */
  readonly files: Readonly<Record<string, string>>;
  /** The commands of its ```console blocks in their order. */
  readonly steps: readonly Step[];
}

/** One tour after the other, in the same project; then what stands alone. */
const PAGES = ['README.md', 'docs/promotion.md'].map((page): Page => {
  const steps = examplesOf(page, 'console')
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((step) => {
      const [command = '', ...shown] = step.trimEnd().split('\n');
      return { command, shown };
    });
  return { page, files: filesOf(page), steps };
});
const MARIA = ['AUTHOR', 'COMMITTER'].flatMap((who) => [
  [`GIT_${who}_NAME`, 'Maria'],
  [`GIT_${who}_EMAIL`, 'maria@example.com'],
]);

interface ShellPage {
  readonly page: string;
  /** Files that it speaks of. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files that are committed besides: it speaks of the commit. */
  readonly commit?: Readonly<Record<string, string>>;
  /** What happened before. */
  readonly before?: string;
}

const CHURN = `name: churn
schedule: { cron: "@daily", start: 2026-01-01 }
tasks: { train: { run: 'test "\${{ env.name }}" != dev || sleep 60' } }
`;
const LOAD = `import { writeFileSync } from 'node:fs';
const rows = ['id,placed_at,shipped_at,price,currency'];
for (const price of [20, 30, -1]) rows.push(\`\${rows.length},2026-01-05T23:00:00Z,2026-01-06T08:00:00Z,\${price},EUR\`);
writeFileSync(\`\${process.argv.at(-1)}/orders.csv\`, rows.join('\\n'));
console.log('::output rows=3::');
`;
/** Pages whose ```sh blocks stand alone. */
const SHELL_PAGES: readonly ShellPage[] = [
  { page: 'docs/triggers.md', files: { 'dags/intake.yaml': yamlOf('docs/triggers.md', 'intake') } },
  { page: 'docs/acting.md', files: { 'dags/churn.yaml': CHURN } },
  { page: 'docs/operations.md' },
  { page: 'docs/ci.md' },
  { page: 'docs/environments.md', commit: {} },
  {
    page: 'docs/checks.md',
    files: { 'dags/orders.yaml': yamlOf('docs/checks.md', 'orders'), 'dags/orders/load.mjs': LOAD },
    before: 'sluice run orders --at 2026-01-05 --wait',
  },
  { page: 'docs/testing-pipelines.md', commit: filesOf('docs/testing-pipelines.md') },
];
/** What the pages say of machines that are not this one. */
const HERE: Readonly<Record<string, string>> = { '/srv/git/pipelines.git': '$PWD/pipelines.git' };

function filesOf(page: string): Record<string, string> {
  return Object.fromEntries(
    examplesOf(page, 'yaml').flatMap((text) => {
      const file = /^# ((?:dags|environments)\/\S+)\n/.exec(text)?.[1];
      return file === undefined ? [] : [[file, text]];
    }),
  );
}

function yamlOf(page: string, pipeline: string): string {
  return examplesOf(page, 'yaml').find((text) => text.startsWith(`name: ${pipeline}\n`)) ?? '';
}

/** Commands that change a file of the working tree. */
const EDITS = /^(npx sluice init|perl|touch)/;

/** What differs from one run of a tour to the next: times, durations, names of releases, the width of columns. */
function lasting(line: string): string {
  return line
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b\d+(\.\d+)?m?s\b/g, 'DURATION')
    .replaceAll(/\b[0-9a-f]{64}\b|\([0-9a-f]{12}\)/g, 'DIGEST')
    .replaceAll(/\b[a-z]+-[a-z]+\b/g, 'ALIAS')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

describe('the tours', () => {
  let project: TestProject;
  let server: RunningStandalone;
  let path: string;
  beforeAll(async () => {
    // What a clone has besides the example, whose months of flights would only cost time here.
    const environments = ['dev', 'test', 'prod'].map((name) => {
      const file = `environments/${name}.yaml`;
      return [file, readFileSync(join(PROGRAM_ROOT, file), 'utf8')] as const;
    });
    project = await TestProject.create(Object.fromEntries(environments));
    const dev = join(project.folder, 'environments/dev.yaml');
    appendFileSync(dev, 'secrets: { MOVER_SECRET: { env: MOVER_SECRET } }\n');
    mkdirSync(join(project.folder, 'dags'));
    server = await project.start({ env: { MOVER_SECRET } });
    path = await project.commandPath();
  });
  afterAll(async () => {
    await server.stop();
    await project.destroy();
  });

  async function release(): Promise<string | null> {
    const environments = await server.client.environments();
    return environments.find(({ name }) => name === 'dev')?.release ?? null;
  }

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    const before = await release();
    for (const [file, text] of Object.entries(files)) await project.write(file, text);
    if (Object.keys(files).length > 0) await until('their release', async () => (await release()) !== before);
  }

  /** Not synchronously: somebody must read what the server writes meanwhile. */
  function bash(script: string): Promise<{ stdout: string }> {
    const { url, token } = JSON.parse(readFileSync(join(project.home, 'server.json'), 'utf8')) as Record<
      string,
      string
    >;
    const env = { ...Object.fromEntries(MARIA), PATH: path, HOME: project.folder };
    return run('bash', ['-c', script], {
      cwd: project.folder,
      env: { ...env, SLUICE_URL: url, SLUICE_TOKEN: token, MOVER_SECRET },
    });
  }

  describe.each(PAGES)('of $page', ({ page, files, steps }) => {
    beforeAll(() => write(files));

    test('has steps, and files that say their names', () => {
      expect(steps.length).toBeGreaterThan(8);
      expect(Object.values(files)).toEqual(examplesOf(page, 'yaml'));
    });

    for (const { command, shown } of steps)
      test(`$ ${command}`, async () => {
        const before = await release();
        const { stdout } = await bash(`(${command}) 2>&1 || true`);
        const printed = stdout.split('\n').map(lasting);
        for (const line of shown) expect(printed).toContainEqual(lasting(line));
        if (EDITS.test(command)) await until('the release of the edit', async () => (await release()) !== before, 2000);
      });
  });

  describe('of pages whose commands stand alone', () => {
    // Together: each release that is waited for takes more than a second.
    beforeAll(() => write(Object.assign({}, ...SHELL_PAGES.map(({ files }) => files)) as Record<string, string>));

    describe.each(SHELL_PAGES)('of $page', ({ page, commit, before }) => {
      beforeAll(async () => {
        for (const [file, text] of Object.entries(commit ?? {})) await project.write(file, text);
        const copy = 'rm -rf pipelines.git && git clone -q --bare . pipelines.git';
        if (commit !== undefined) await bash(`git add dags && git commit -qm "As ${page} has it" && ${copy}`);
        if (before !== undefined) await bash(before);
      });

      test.each(examplesOf(page, 'sh'))('%s', async (block) => {
        const script = Object.entries(HERE).reduce((text, [there, here]) => text.replaceAll(there, here), block);
        await bash(`set -euo pipefail\nexport GIT_COMMIT=$(git rev-parse HEAD)\n${script}`);
      });
    });
  });
});
