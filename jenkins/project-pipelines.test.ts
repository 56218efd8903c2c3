import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOf } from '../libs/testing/examples.ts';
import { SLUICE_STAND_IN } from './test/command-stand-in.ts';
import { GitRepository, Programs } from './test/git-repository.ts';
import { type BuildSettings, GROOVY, removeBuildFolders, runJenkinsfile } from './test/run-jenkinsfile.ts';

const ROOT = join(import.meta.dirname, '..');
const [TEN_LINES = ''] = examplesOf('docs/ci.md', 'groovy', 1);

const MAIN = ['Check', 'Release', 'dev', 'test', 'prod'];

test('the Jenkinsfile of docs/ci.md has ten lines', () => {
  expect(TEN_LINES.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
});

// Without Groovy nothing here runs; `npm test` says how to get it (scripts/find-tools.mjs), and in CI that is a failure.
(GROOVY === undefined ? describe.skip : describe)('a project that promotes with Jenkins', () => {
  let repository: GitRepository;
  let programs: Programs;
  beforeAll(() => {
    repository = new GitRepository();
    repository.commit({ 'dags/a.yaml': 'name: a\n' });
    repository.commit({ 'dags/a.yaml': 'name: b\n' }, 'feature');
    programs = new Programs({ make: 'true', npm: 'true', npx: 'exec "$@"', sluice: SLUICE_STAND_IN });
    writeFileSync(join(programs.folder, 'Jenkinsfile'), TEN_LINES);
  });
  afterAll(() => {
    repository.remove();
    programs.remove();
    removeBuildFolders();
  });

  const run = (jenkinsfile: string, settings: Partial<BuildSettings> = {}) =>
    runJenkinsfile({
      jenkinsfile,
      repository: repository.folder,
      branch: 'main',
      path: programs.path,
      env: { SLUICE_URL: 'https://sluice.example.com' },
      credentials: { 'sluice-view': 'view-token', 'sluice-promote': 'promote-token' },
      inputs: { prod: { approve: 'maria' } },
      libraries: { sluice: join(ROOT, 'jenkins') },
      ...settings,
    });
  const tenLines = (settings?: Partial<BuildSettings>) => run(join(programs.folder, 'Jenkinsfile'), settings);
  const template = (settings?: Partial<BuildSettings>) => run(join(ROOT, 'templates/ci/jenkins/Jenkinsfile'), settings);

  test('has with ten lines what the template writes in full, and this repository does the same', async () => {
    const [short, full, own] = [await tenLines(), await template(), await run(join(ROOT, 'Jenkinsfile'))];
    const shape = (build: typeof short) =>
      build.events
        .filter(({ event, step }) => !['ran', 'library', 'start'].includes(event) && step !== 'sh')
        .map(({ event, stage, step, state, result, name, files }) => ({
          event,
          stage,
          step,
          state,
          result,
          name,
          files,
        }));
    expect(shape(short)).toEqual(shape(full));
    expect(shape(own)).toEqual(shape(full));
    expect(short.scripts()).toEqual(['make check', ...full.scripts()]);
    const later = MAIN.slice(1).flatMap((stage) => full.scripts(stage));
    // The tests of this repository's examples read what npm brings.
    const ownLater = MAIN.slice(1).flatMap((stage) => own.scripts(stage));
    expect(ownLater.filter((script) => !String(script).startsWith('npm ci '))).toEqual(later);
  });

  test('runs its own checks first, and asks its own group', async () => {
    const build = await tenLines();
    expect(build.scripts('Check')[0]).toBe('make check');
    expect(build.of('input')).toEqual([expect.objectContaining({ submitter: 'data-approvers', executors: 0 })]);
  });

  test('checks a branch and promotes nothing', async () => {
    for (const build of [await tenLines({ branch: 'feature' }), await template({ branch: 'feature' })])
      expect([build.result, build.stages]).toEqual(['SUCCESS', ['Check']]);
  });

  test('mails who asked for it when a build fails', async () => {
    const build = await tenLines({ env: { FAIL: '--to dev' } });
    expect(build.steps('mail')).toMatchObject([{ arguments: { to: 'data-team@example.com' } }]);
    expect(build.stages).toEqual(['Check', 'Release', 'dev']);
  });

  test('hears of a setting that there is none of', async () => {
    const file = join(programs.folder, 'Misspelt');
    writeFileSync(file, TEN_LINES.replace('submitter', 'submiter'));
    const build = await run(file);
    expect([build.result, build.stages]).toEqual(['FAILURE', []]);
    expect(build.of('failed')[0]?.why).toContain('no setting submiter; it has url, label, branch');
  });
});
