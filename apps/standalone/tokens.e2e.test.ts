import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestProject, type RunningStandalone } from './standalone-fixture.ts';

// Named tokens as people use them: the built program, the built command line, and its exit codes.
let project: TestProject;
let running: RunningStandalone;
beforeAll(async () => {
  project = await TestProject.create({
    'environments/prod.yaml': 'name: prod\nstorage: file://./.sluice/storage/prod\n',
    'dags/hello.yaml': 'name: hello\ntasks:\n  say:\n    run: echo hello\n',
  });
  running = await project.start({ env: { SLUICE_LOG_LEVEL: 'trace' } });
});
afterAll(() => project.destroy());

test('a token is made, used within its rights, named in the trail, and revoked', async () => {
  const made = await project.sluice('token', 'create', 'jenkins', '--right', 'operate:dev', '--expires', '90d');
  expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^sluice_[\w-]{43}\n$/)]);
  const token = made.out.trim();
  const jenkins = { SLUICE_URL: running.url, SLUICE_TOKEN: token };

  const who = await project.sluiceWith(jenkins, 'whoami', '-o', 'json');
  expect(JSON.parse(who.out)).toEqual({
    name: 'jenkins',
    groups: [],
    rights: [{ right: 'operate', environment: 'dev' }],
  });
  const ran = await project.sluiceWith(jenkins, 'run', 'hello', '--wait', '-o', 'json');
  expect([ran.code, JSON.parse(ran.out).why]).toEqual([0, 'Started by jenkins.']);
  const environments = await project.sluiceWith(jenkins, 'pipelines', 'list', '--env', 'prod');
  expect([environments.code, environments.err]).toEqual([
    4,
    expect.stringContaining('jenkins has no right to view in prod.'),
  ]);
  expect((await project.sluiceWith(jenkins, 'token', 'list')).code).toBe(4);

  const trail = await project.sluice('audit', '--limit', '0', '-o', 'json');
  const seen = (JSON.parse(trail.out) as { actor: string; action: string; environment: string | null }[]).map(
    ({ actor, action, environment }) => `${actor} ${action} ${environment ?? '-'}`,
  );
  expect(seen.slice(0, 2)).toEqual(['jenkins run.trigger dev', 'the API token token.create -']);
  expect(seen).toContain('working tree pointer.move dev');
  expect(seen.filter((line) => line.includes('environment.apply')).length).toBe(2);
  expect((await project.sluice('audit', '--verify')).code).toBe(0);

  expect((await project.sluice('token', 'revoke', 'jenkins')).code).toBe(0);
  expect((await project.sluiceWith(jenkins, 'whoami')).code).toBe(4);
  for (const text of [running.out, running.err, trail.out]) expect(text).not.toContain(token.slice('sluice_'.length));
});

test('the trail outlives the server', async () => {
  const before = await project.sluice('audit', '--verify', '-o', 'json');
  await running.stop();
  running = await project.start();
  const after = JSON.parse((await project.sluice('audit', '--verify', '-o', 'json')).out);
  expect(after).toMatchObject({ whole: true });
  expect(after.records).toBeGreaterThanOrEqual(JSON.parse(before.out).records);
});
