import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SLUICE_STAND_IN } from './test/command-stand-in.ts';
import { GitRepository, Programs } from './test/git-repository.ts';
import {
  type BuildSettings,
  GROOVY,
  type Recording,
  removeBuildFolders,
  runJenkinsfiles,
} from './test/run-jenkinsfile.ts';

const ROOT = join(import.meta.dirname, '..');
const MAIN = ['Check', 'Release', 'dev', 'test', 'prod'];

// What it calls and in which order; what comes of it is in commit-to-prod.e2e.test.ts.
// Without Groovy nothing here runs; `npm test` says how to get it (scripts/find-tools.mjs), and in CI that is a failure.
(GROOVY === undefined ? describe.skip : describe)("this repository's Jenkinsfile", () => {
  let repository: GitRepository;
  let programs: Programs;
  let commit: string;
  let ofBranch: Recording;
  let ofMain: Recording;
  let failing: Recording;
  let rejected: Recording;
  let answered: Recording;
  beforeAll(async () => {
    repository = new GitRepository();
    commit = repository.commit({ Jenkinsfile: readFileSync(join(ROOT, 'Jenkinsfile'), 'utf8') });
    repository.commit({ 'a.txt': 'a' }, 'feature/x');
    programs = new Programs({ npm: 'echo "npm $*"', npx: 'exec "$@"', sluice: SLUICE_STAND_IN });
    const build = (settings: Partial<BuildSettings>): BuildSettings => ({
      jenkinsfile: join(ROOT, 'Jenkinsfile'),
      repository: repository.folder,
      branch: 'main',
      path: programs.path,
      credentials: { 'sluice-view': 'view-token', 'sluice-promote': 'promote-token' },
      inputs: { prod: { approve: 'maria' } },
      ...settings,
    });
    [ofBranch, ofMain, failing, rejected, answered] = (await runJenkinsfiles([
      build({ branch: 'feature/x' }),
      build({}),
      build({ env: { FAIL: '--to test' } }),
      build({ inputs: { prod: { reject: 'maria' } } }),
      build({ inputs: { prod: { approve: 'sluice' } }, env: { SLUICE_ANSWERS_INPUT: 'true' } }),
    ])) as [Recording, Recording, Recording, Recording, Recording];
  });
  afterAll(() => {
    repository.remove();
    programs.remove();
    removeBuildFolders();
  });

  test('checks a branch, archives its plan, and takes nothing anywhere', () => {
    expect([ofBranch.result, ofBranch.stages]).toEqual(['SUCCESS', ['Check']]);
    expect(ofBranch.of('agent').map(({ stage }) => stage)).toEqual(['Check', 'Check']);
    expect(ofBranch.of('archived').flatMap(({ files }) => files)).toEqual(['plan.md']);
    expect(ofBranch.of('credential').map(({ id }) => id)).toEqual(['sluice-view']);
    expect(ofBranch.of('input')).toEqual([]);
  });

  test('takes main through the environments, one release, in their order', () => {
    expect([ofMain.result, ofMain.stages]).toEqual(['SUCCESS', MAIN]);
    const promotions = ofMain.scripts().filter((script) => /^sluice promote/.test(String(script)));
    expect(promotions.map((script) => /--to (\w+) --release "(.+?)" /.exec(String(script))?.slice(1))).toEqual(
      ['dev', 'test', 'prod'].map((to) => [to, '$(cat release.txt)']),
    );
    expect(promotions[2]).toContain('--approver "$APPROVER"');
    expect(ofMain.of('ran', 'prod')[0]?.stderr).toContain('--approver maria');
    expect(ofMain.scripts('Release').at(-1)).toBe('sluice test --record --release "$(cat release.txt)"');
    expect(ofMain.of('checkout', 'Release')).toEqual([expect.objectContaining({ commit })]);
  });

  test('waits for the approval without an executor and without a lock, and asks the group', () => {
    const { events } = ofMain;
    const asked = events.findIndex(({ event }) => event === 'input');
    expect(events[asked]).toMatchObject({ stage: 'prod', submitter: 'sluice-approvers', executors: 0 });
    const held = (event: string, state: string) =>
      events.slice(0, asked).filter((each) => each.event === event && each.state === state).length;
    expect([held('lock', 'taken'), held('agent', 'taken')]).toEqual([
      held('lock', 'released'),
      held('agent', 'released'),
    ]);
  });

  test('archives the release with its fingerprint, the plan and what each promotion answered', () => {
    const archived = ofMain
      .of('archived')
      .map(({ stage, files, fingerprints }) => [stage, files, fingerprints !== undefined]);
    expect(archived).toEqual([
      ['Check', ['plan.md'], false],
      ['Release', ['release.json'], true],
      ...['dev', 'test', 'prod'].map((name) => [name, [`${name}.json`], false]),
    ]);
    expect(ofMain.of('junit').map(({ stage, cases }) => [stage, (cases as unknown[]).length])).toEqual([
      ['Check', 1],
      ...['dev', 'test', 'prod'].map((name) => [name, 1]),
    ]);
  });

  test('a promotion that fails ends the build and tells with its address', () => {
    expect([failing.result, failing.stages]).toEqual(['FAILURE', MAIN.slice(0, 4)]);
    expect(failing.of('ran', 'test')[0]?.exit).toBe(9);
    const [mail, ...more] = failing.steps('mail');
    expect([JSON.stringify(mail), more]).toEqual([expect.stringContaining('https://jenkins.example.com/'), []]);
  });

  test('a rejected approval ends the build before anything was asked of prod', () => {
    expect(rejected.result).toBe('ABORTED');
    expect(rejected.of('ran', 'prod')).toEqual([]);
    expect(rejected.steps('mail')).toEqual([]);
  });

  test('asks for prod before its input waits, where Sluice answers it, and goes on with the same', () => {
    expect([answered.result, answered.stages]).toEqual(['SUCCESS', [...MAIN.slice(0, 4), 'ask for prod', 'prod']]);
    const [asked] = answered.scripts('ask for prod');
    const [wentOn] = answered.scripts('prod');
    expect([asked, wentOn]).toEqual([
      expect.stringMatching(/^sluice promote --to prod .*--input Prod -o json/),
      expect.stringMatching(/--input Prod --approver "\$APPROVER" --wait/),
    ]);
    const order = answered.events.findIndex(({ event }) => event === 'input');
    expect(answered.events[order]).toMatchObject({ id: 'Prod', stage: 'prod', executors: 0 });
    expect(answered.events.findIndex(({ event, script }) => event === 'ran' && script === asked)).toBeLessThan(order);
  });

  test('holds every secret in the environment of the one command that needs it', () => {
    expect(JSON.stringify(ofMain.events)).not.toMatch(/view-token|promote-token/);
    expect(ofMain.steps('withCredentials')).toHaveLength(5);
  });
});
