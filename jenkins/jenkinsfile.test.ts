import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SLUICE_STAND_IN } from './test/command-stand-in.ts';
import { GitRepository, Programs } from './test/git-repository.ts';
import { type BuildSettings, GROOVY, removeBuildFolders, runJenkinsfile } from './test/run-jenkinsfile.ts';

const ROOT = join(import.meta.dirname, '..');
const MAIN = ['Check', 'Release', 'dev', 'test', 'prod'];

(GROOVY === undefined ? describe.skip : describe)("this repository's Jenkinsfile", () => {
  let repository: GitRepository;
  let programs: Programs;
  let commit: string;
  beforeAll(() => {
    repository = new GitRepository();
    commit = repository.commit({ Jenkinsfile: readFileSync(join(ROOT, 'Jenkinsfile'), 'utf8') });
    repository.commit({ 'a.txt': 'a' }, 'feature/x');
    programs = new Programs({ npm: 'echo "npm $*"', npx: 'exec "$@"', sluice: SLUICE_STAND_IN });
  });
  afterAll(() => {
    repository.remove();
    programs.remove();
    removeBuildFolders();
  });

  const run = (settings: Partial<BuildSettings> = {}) =>
    runJenkinsfile({
      jenkinsfile: join(ROOT, 'Jenkinsfile'),
      repository: repository.folder,
      branch: 'main',
      path: programs.path,
      credentials: { 'sluice-view': 'view-token', 'sluice-promote': 'promote-token' },
      inputs: { prod: { approve: 'maria' } },
      ...settings,
    });

  test('checks a branch, archives its plan, and takes nothing anywhere', async () => {
    const build = await run({ branch: 'feature/x' });
    expect([build.result, build.stages]).toEqual(['SUCCESS', ['Check']]);
    expect(build.of('agent').map(({ stage }) => stage)).toEqual(['Check', 'Check']);
    expect(build.of('archived').flatMap(({ files }) => files)).toEqual(['plan.md']);
    expect(build.of('credential').map(({ id }) => id)).toEqual(['sluice-view']);
    expect(build.of('input')).toEqual([]);
  });

  test('takes main through the environments, one release, in their order', async () => {
    const build = await run();
    expect([build.result, build.stages]).toEqual(['SUCCESS', MAIN]);
    const promotions = build.scripts().filter((script) => /^sluice promote/.test(String(script)));
    expect(promotions.map((script) => /--to (\w+) --release "(.+?)" /.exec(String(script))?.slice(1))).toEqual(
      ['dev', 'test', 'prod'].map((to) => [to, '$(cat release.txt)']),
    );
    expect(promotions[2]).toContain('--approver "$APPROVER"');
    expect(build.of('ran', 'prod')[0]?.stderr).toContain('--approver maria');
    expect(build.of('checkout', 'Release')).toEqual([expect.objectContaining({ commit })]);
  });

  test('waits for the approval without an executor and without a lock, and asks the group', async () => {
    const { events } = await run();
    const asked = events.findIndex(({ event }) => event === 'input');
    expect(events[asked]).toMatchObject({ stage: 'prod', submitter: 'sluice-approvers', executors: 0 });
    const held = (event: string, state: string) =>
      events.slice(0, asked).filter((each) => each.event === event && each.state === state).length;
    expect([held('lock', 'taken'), held('agent', 'taken')]).toEqual([
      held('lock', 'released'),
      held('agent', 'released'),
    ]);
  });

  test('archives the release with its fingerprint, the plan and what each promotion answered', async () => {
    const build = await run();
    const archived = build
      .of('archived')
      .map(({ stage, files, fingerprints }) => [stage, files, fingerprints !== undefined]);
    expect(archived).toEqual([
      ['Check', ['plan.md'], false],
      ['Release', ['release.json'], true],
      ...['dev', 'test', 'prod'].map((name) => [name, [`${name}.json`], false]),
    ]);
    expect(build.of('junit').map(({ stage, cases }) => [stage, (cases as unknown[]).length])).toEqual([
      ['Check', 0],
      ...['dev', 'test', 'prod'].map((name) => [name, 1]),
    ]);
  });

  test('a promotion that fails ends the build and tells with its address', async () => {
    const build = await run({ env: { FAIL: '--to test' } });
    expect([build.result, build.stages]).toEqual(['FAILURE', MAIN.slice(0, 4)]);
    expect(build.of('ran', 'test')[0]?.exit).toBe(9);
    const [mail, ...more] = build.steps('mail');
    expect([JSON.stringify(mail), more]).toEqual([expect.stringContaining('https://jenkins.example.com/'), []]);
  });

  test('a rejected approval ends the build before anything was asked of prod', async () => {
    const build = await run({ inputs: { prod: { reject: 'maria' } } });
    expect(build.result).toBe('ABORTED');
    expect(build.of('ran', 'prod')).toEqual([]);
    expect(build.steps('mail')).toEqual([]);
  });

  test('holds every secret in the environment of the one command that needs it', async () => {
    const build = await run();
    expect(JSON.stringify(build.events)).not.toMatch(/view-token|promote-token/);
    expect(build.steps('withCredentials')).toHaveLength(5);
  });
});
