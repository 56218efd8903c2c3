import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM_ROOT, TestProject } from './standalone-fixture.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };
const HELLO = `
name: hello
paths: { out: out }
tasks:
  say:
    run: |
      id -u
      id -u > "$PATH_OUT/who.txt"
    writes: [out]
`;

/** Only root can become somebody else; an ordinary user has tested this with every other test. */
const asRoot = process.getuid?.() === 0 && programIsReadable();
const testAsRoot = asRoot ? test : test.skip;

function programIsReadable(): boolean {
  try {
    execFileSync(process.execPath, ['--version'], { ...NOBODY, cwd: join(PROGRAM_ROOT, 'dist'), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let project: TestProject;
beforeAll(async () => {
  project = await TestProject.create({ 'dags/hello.yaml': HELLO });
});
afterAll(() => project.destroy());

/** Real user ids of all processes of the project, by kind. */
function owners(): Record<string, Set<number>> {
  const found: Record<string, Set<number>> = {};
  for (const { pid, kind } of project.processes()) {
    const [, uid = ''] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    (found[kind] ??= new Set()).add(Number(uid));
  }
  return found;
}

testAsRoot('the first start works as an ordinary user, and everything it starts is that user', async () => {
  project.giveTo(NOBODY);
  const running = await project.start({ user: NOBODY });
  const run = await running.run('hello');
  expect(run).toMatchObject({ state: 'success' });
  const { lines } = await running.client.log({ runId: run.id, task: 'say' });
  expect(lines.filter(({ stream }) => stream === 'out').map(({ text }) => text)).toEqual([String(NOBODY.uid)]);
  expect(owners()).toEqual({
    sluice: new Set([NOBODY.uid]),
    launcher: new Set([NOBODY.uid]),
    postgres: new Set([NOBODY.uid]),
  });
  expect(await running.stop()).toMatchObject({ code: 0, err: '' });
  expect(project.processes()).toEqual([]);
});

testAsRoot('root may go on where an ordinary user began, with the same history', async () => {
  const running = await project.start();
  expect((await running.client.runs({ env: 'dev' })).items).toMatchObject([{ pipeline: 'hello', state: 'success' }]);
  expect(await running.run('hello')).toMatchObject({ state: 'success' });
  expect((await running.stop()).code).toBe(0);
});
