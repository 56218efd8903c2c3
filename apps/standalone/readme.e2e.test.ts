import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROGRAM_ROOT, type RunningStandalone, TestProject, until } from './standalone-fixture.ts';

const run = promisify(execFile);

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

/** One tour after the other, in the same project. */
const PAGES = ['README.md', 'docs/promotion.md'].map((page): Page => {
  const text = readFileSync(join(PROGRAM_ROOT, page), 'utf8');
  const files = [...text.matchAll(/^```yaml\n# ((?:dags|environments)\/\S+)\n(.*?)^```/gms)];
  const steps = [...text.matchAll(/^```console\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.split(/^\$ /m).slice(1))
    .map((step) => {
      const [command = '', ...shown] = step.trimEnd().split('\n');
      return { command, shown };
    });
  return { page, files: Object.fromEntries(files.map(([, file = '', content = '']) => [file, content])), steps };
});
const MARIA = ['AUTHOR', 'COMMITTER'].flatMap((who) => [
  [`GIT_${who}_NAME`, 'Maria'],
  [`GIT_${who}_EMAIL`, 'maria@example.com'],
]);

/** Commands that change a file of the working tree. */
const EDITS = /^(npx sluice init|sed|touch)/;

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
  beforeAll(async () => {
    // What a clone has besides the example, whose months of flights would only cost time here.
    const environments = ['dev', 'test', 'prod'].map((name) => {
      const file = `environments/${name}.yaml`;
      return [file, readFileSync(join(PROGRAM_ROOT, file), 'utf8')] as const;
    });
    project = await TestProject.create(Object.fromEntries(environments));
    mkdirSync(join(project.folder, 'dags'));
    server = await project.start();
    const npx = join(project.folder, 'bin', 'npx');
    mkdirSync(join(npx, '..'));
    writeFileSync(npx, `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(PROGRAM_ROOT, 'bin/sluice.mjs')}' "$@"\n`);
    chmodSync(npx, 0o755);
  });
  afterAll(async () => {
    await server.stop();
    await project.destroy();
  });

  async function release(): Promise<string | null> {
    const environments = await server.client.environments();
    return environments.find(({ name }) => name === 'dev')?.release ?? null;
  }

  describe.each(PAGES)('of $page', ({ files, steps }) => {
    beforeAll(async () => {
      const before = await release();
      for (const [file, text] of Object.entries(files)) await project.write(file, text);
      if (Object.keys(files).length > 0) await until('their release', async () => (await release()) !== before);
    });

    test('has steps', () => expect(steps.length).toBeGreaterThan(8));

    for (const { command, shown } of steps)
      test(`$ ${command}`, async () => {
        const before = await release();
        // Not synchronously: somebody must read what the server writes meanwhile.
        const { stdout } = await run('bash', ['-c', `(${command}) 2>&1 || true`], {
          cwd: project.folder,
          env: {
            ...Object.fromEntries(MARIA),
            PATH: `${join(project.folder, 'bin')}:${process.env.PATH ?? ''}`,
            HOME: project.folder,
          },
        });
        const printed = stdout.split('\n').map(lasting);
        for (const line of shown) expect(printed).toContainEqual(lasting(line));
        if (EDITS.test(command)) await until('the release of the edit', async () => (await release()) !== before, 2000);
      });
  });
});
