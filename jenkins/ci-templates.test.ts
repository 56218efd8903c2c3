import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const TEMPLATES = join(import.meta.dirname, '../templates/ci');
const read = (file: string): string => readFileSync(join(TEMPLATES, file), 'utf8');

type Environment = Readonly<Record<string, string>>;
interface GithubStep {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Environment;
}
interface GithubJob {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly concurrency?: string;
  readonly permissions?: object;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly GithubStep[];
}
interface GitlabJob {
  readonly stage: string;
  readonly needs?: readonly string[];
  readonly environment?: string;
  readonly resource_group?: string;
  readonly variables?: Environment;
  readonly rules?: readonly object[];
  readonly script: readonly string[];
}

/** What `sluice` is asked to do, without the files it answers into. */
const commands = (texts: readonly string[]): string[] =>
  texts.flatMap((text) =>
    [...text.matchAll(/sluice (validate|test|plan|release|promote)\b[^|>\n;]*/g)].map(([all]) => all.trim()),
  );

describe('the GitHub workflow', () => {
  const text = read('github/sluice.yml');
  const workflow = parse(text) as { on: object; permissions: object; jobs: Record<string, GithubJob> };
  const { jobs } = workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('goes check, release, dev, test, prod', () => {
    expect(Object.entries(jobs).map(([name, { needs }]) => [name, needs])).toEqual([
      ['check', undefined],
      ['release', 'check'],
      ['dev', 'release'],
      ['test', ['release', 'dev']],
      ['prod', ['release', 'test']],
    ]);
    expect(jobs.release?.if).toBe("github.event_name == 'push'");
    expect(workflow.on).toEqual({ pull_request: null, push: { branches: ['main'] } });
  });

  test('promotes in the environment of its name, one at a time, within bounds', () => {
    for (const name of ['dev', 'test', 'prod']) {
      expect(jobs[name]).toMatchObject({ environment: name, concurrency: `sluice-${name}` });
      expect(commands(jobs[name]?.steps.map(({ run = '' }) => run) ?? [])).toEqual([
        expect.stringMatching(new RegExp(`^sluice promote --to ${name} --release "\\$RELEASE" .*--wait`)),
      ]);
    }
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('has no expression inside a command: what others write would be read as code', () => {
    expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
    expect(text).not.toMatch(/github\.event\.|github\.head_ref|pull_request_target/);
  });

  test('takes secrets from the store only, for the steps that need them, and may read only', () => {
    for (const { env = {}, run } of steps)
      for (const [name, value] of Object.entries(env))
        if (/TOKEN/.test(name)) {
          expect(value).toMatch(/^\$\{\{ (secrets\.SLUICE_(VIEW|PROMOTE)_TOKEN|github\.token) \}\}$/);
          expect(run).toBeDefined();
        }
    expect(JSON.stringify(jobs.check)).not.toContain('PROMOTE');
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(Object.values(jobs).map(({ permissions }) => permissions)).toEqual([
      ...Array(4).fill(undefined),
      { actions: 'read' },
    ]);
  });

  describe('asks who approved prod', () => {
    const script = jobs.prod?.steps[0]?.run ?? '';
    let server: Server;
    let folder: string;
    let reviews: object;
    let asked: (string | undefined)[] = [];
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-github-'));
      server = createServer((request, response) => {
        asked = [request.url, request.headers.authorization];
        response.end(JSON.stringify(reviews));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    });
    afterAll(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });

    const run = async (name: string) => {
      const output = join(folder, name);
      const env = {
        PATH: process.env.PATH,
        GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        GITHUB_REPOSITORY: 'shop/flights',
        GITHUB_RUN_ID: '7',
        GITHUB_TOKEN: 'its-token',
        GITHUB_OUTPUT: output,
      };
      const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], { env, stdio: ['ignore', 'ignore', 'pipe'] });
      let problems = '';
      child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString()));
      const code = await new Promise((done) => child.once('close', done));
      return { code, problems, output: readFileSync(output, 'utf8') };
    };
    const review = (state: string, environment: string, login: string) => ({
      state,
      environments: [{ name: environment }],
      user: { login },
    });

    test('and hands the name on', async () => {
      reviews = [
        review('approved', 'test', 'eve'),
        review('rejected', 'prod', 'bob'),
        review('approved', 'prod', 'maria'),
      ];
      expect(await run('approved')).toEqual({ code: 0, problems: '', output: 'approver=maria\n' });
      expect(asked).toEqual(['/repos/shop/flights/actions/runs/7/approvals', 'Bearer its-token']);
    });

    test('and promotes nothing when nobody did', async () => {
      reviews = [];
      expect(await run('nobody')).toMatchObject({
        code: 1,
        problems: expect.stringContaining('no required reviewers'),
        output: '',
      });
    });
  });
});

describe('the GitLab pipeline', () => {
  const {
    stages,
    workflow,
    default: _,
    ...rest
  } = parse(read('gitlab/gitlab-ci.yml')) as {
    stages: string[];
    workflow: object;
    default: object;
  } & Record<string, unknown>;
  const jobs = rest as unknown as Record<string, GitlabJob>;
  const ON_MAIN = '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH';

  test('goes check, release, dev, test, prod, and only main goes further than check', () => {
    expect(stages).toEqual(['check', 'release', 'dev', 'test', 'prod']);
    expect(Object.keys(jobs).filter((name) => !name.startsWith('.'))).toEqual(stages);
    expect(stages.map((name) => jobs[name]?.stage)).toEqual(stages);
    expect(stages.map((name) => jobs[name]?.needs)).toEqual([
      undefined,
      undefined,
      ['release'],
      ['release', 'dev'],
      ['release', 'test'],
    ]);
    for (const name of stages.slice(1)) expect(jobs[name]?.rules).toMatchObject([{ if: ON_MAIN }]);
    expect(workflow).toMatchObject({ rules: expect.anything() });
  });

  test('prod waits for somebody to start it, who is the approver', () => {
    expect(jobs.prod?.rules).toEqual([{ if: ON_MAIN, when: 'manual', allow_failure: false }]);
    expect(jobs.prod?.script.join()).toContain('--approver "$GITLAB_USER_LOGIN"');
  });

  test('promotes in the environment of its name, one at a time', () => {
    for (const name of ['dev', 'test', 'prod']) {
      expect(jobs[name]).toMatchObject({ environment: name, resource_group: `sluice-${name}`, extends: '.promote' });
      expect(commands(jobs[name]?.script ?? [])[0]).toMatch(
        `sluice promote --to ${name} --release "$(cat release.txt)"`,
      );
    }
  });

  test('takes tokens from variables of the project only; a branch gets the one that may look', () => {
    const tokens = Object.values(jobs).flatMap(({ variables }) => variables?.SLUICE_TOKEN ?? []);
    expect(tokens).toEqual(['$SLUICE_VIEW_TOKEN', '$SLUICE_PROMOTE_TOKEN', '$SLUICE_PROMOTE_TOKEN']);
    expect(JSON.stringify(jobs.check)).not.toContain('PROMOTE');
  });
});

test('all three ask Sluice for the same, in the same order', () => {
  const github = Object.values((parse(read('github/sluice.yml')) as { jobs: Record<string, GithubJob> }).jobs).flatMap(
    ({ steps }) => commands(steps.map(({ run = '' }) => run)),
  );
  const { stages, ...jobs } = parse(read('gitlab/gitlab-ci.yml')) as { stages: string[] } & Record<string, unknown>;
  const gitlab = stages.flatMap((name) => commands((jobs[name] as GitlabJob).script));
  const inJenkins = commands([...read('jenkins/Jenkinsfile').matchAll(/sh '(.*)'/g)].map(([, script = '']) => script));
  // Only Jenkins has an input, which waits for what was asked for before.
  const jenkins = inJenkins
    .filter((command) => !command.includes('--input Prod -o json'))
    .map((command) => command.replace('--input Prod ', ''));
  const alike = (all: readonly string[]) =>
    all.map((command) =>
      command
        .replace(/--format \w+/, '')
        .replaceAll(/"\$(\w+|\(cat release\.txt\))"/g, '…')
        .replace(/\)"$/, '')
        .trim(),
    );
  expect(alike(github)).toEqual(alike(jenkins));
  expect(alike(gitlab)).toEqual(alike(jenkins));
});
