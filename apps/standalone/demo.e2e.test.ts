import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { access, cp, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { examplesOf } from '../../libs/testing/examples.ts';
import { outcome, PROGRAM_ROOT, TestProject, until, type Ended } from './standalone-fixture.ts';

const [START = '', DEMO = '', ...COMMANDS] = (examplesOf('docs/example.md', 'sh', 1)[0] ?? '').trimEnd().split('\n');

let project: TestProject;
let ended: Ended;
beforeAll(async () => {
  project = await clone();
  ended = await outcome(project.spawnShell(DEMO, { env: NO_NEWS }), 400_000);
}, 410_000);
afterAll(() => project.destroy());

/** npm tells of its own new versions otherwise. */
const NO_NEWS = { npm_config_update_notifier: 'false' };

/** This repository once more, with files of its own for pipelines and environments; those fire nothing and find what the demo leaves. */
async function clone(): Promise<TestProject> {
  const cloned = await TestProject.create({});
  const own = ['dags', 'environments', '.git', '.sluice'];
  for (const name of (await readdir(PROGRAM_ROOT)).filter((each) => !own.includes(each)))
    await symlink(join(PROGRAM_ROOT, name), join(cloned.folder, name));
  await cp(join(PROGRAM_ROOT, 'dags'), join(cloned.folder, 'dags'), { recursive: true });
  for (const name of await readdir(join(PROGRAM_ROOT, 'environments'))) {
    const text = await readFile(join(PROGRAM_ROOT, 'environments', name), 'utf8');
    const edited = text.replace('.sluice/', '.sluice/demo/').replace('schedules: active', 'schedules: paused');
    await cloned.write(`environments/${name}`, edited);
  }
  return cloned;
}

test('Ctrl-C ends npm run demo with all it started', async () => {
  const interrupted = await TestProject.create({});
  const end = interrupted.demo({});
  await until('a task', () => interrupted.processes().some(({ kind }) => kind === 'task'), 60_000);
  for (const { pid, kind } of interrupted.processes()) if (kind === 'sluice') process.kill(pid, 'SIGINT');
  expect(await end).toMatchObject({ code: 130, err: '' });
  expect(interrupted.processes()).toEqual([]);
  await interrupted.destroy();
}, 90_000);

describe('npm run demo, on the pipelines of this repository', () => {
  test('runs January 2001 and says so', () => {
    expect({ code: ended.code, err: ended.err }).toEqual({ code: 0, err: '' });
    expect(ended.out).toMatch(/\n51 of 51 runs succeeded in \d+ s\.\n$/);
    expect(ended.out).toMatch(/^flight-delays +31 +31 /m);
    expect(ended.out).toMatch(/^delay-model +3 +3 /m);
    expect(ended.out).toMatch(/^delay-scores +17 +17 /m);
  });

  test('one run of each, executed again, writes the same files', () => {
    const again = [...ended.out.matchAll(/^ {2}([\w-]+) +run +\d+ {2}(\w+)\. (.+)$/gm)].map((line) => line.slice(1));
    expect(again).toEqual([
      ['delay-model', 'reproducible', 'All 10 files are the same.'],
      ['delay-scores', 'reproducible', 'The file is the same.'],
      ['flight-delays', 'reproducible', 'All 3 files are the same.'],
    ]);
  });

  test('every week is judged better than its baseline, on days that the model has not seen', () => {
    const weeks = [...ended.out.matchAll(/^(2001-01-\d\d) +(0\.\d{4}) +(0\.\d{4})$/gm)];
    expect(weeks.map(([, week]) => week)).toEqual(['2001-01-08', '2001-01-15', '2001-01-22']);
    for (const [, week, auc, baseline] of weeks) {
      expect([week, Number(auc) > 0.6, Number(auc) > Number(baseline) + 0.02]).toEqual([week, true, true]);
    }
  });

  test('takes three commits towards prod: one arrives, one stops at the metric gate, one is rolled back by itself', () => {
    const [first, , third] = [...ended.out.matchAll(/" is release ([\w-]+)$/gm)].map(([, alias]) => alias);
    const prod = [...ended.out.matchAll(/^ {4}prod +(\w+) +(.+)\n(.*)$/gm)].map(([, ...found]) => found);
    expect(prod.map(([state, counts]) => [state, counts])).toEqual([
      ['verified', '3 of 4 gates passed, 1 without an answer, approved by ada, 1 run to verify it'],
      ['failed', '3 of 4 gates passed'],
      ['rolled_back', '4 of 4 gates passed, approved by ada, 1 run to verify it'],
    ]);
    const [, , better = ''] = prod[1] ?? [];
    const [, auc = '', baseline = ''] = /: auc (0\.\d+) in test, against auc (0\.\d+) in prod\.$/.exec(better) ?? [];
    expect([Number(auc) < Number(baseline) - 0.01, Number(auc) > 0.7]).toEqual([true, true]);
    expect(prod[2]?.[2]).toMatch(/Verification run \d+ of delay-model ended failed: task "hand_on" failed$/);
    expect(ended.out).toContain(`  prod runs ${first}\n  ${third} is on hold there`);
  });

  test('says who did what, in a trail that holds', () => {
    const trail = ended.out.slice(ended.out.indexOf('Audit trail, whole:'));
    const lines = [...trail.matchAll(/^ {2}[\d:]{8} {2}(.+)$/gm)].map(([, line = '']) => line.split(/ {2,}/));
    expect(lines.map(([who, what]) => `${who} ${what}`)).toEqual([
      ...['the demo release.create', 'the demo promote.request', 'ada promotion.approve'],
      ...['the demo promote.switch', 'Sluice promotion.verified'],
      ...['the demo release.create', 'the demo promote.request', 'ada promotion.approve', 'Sluice promotion.failed'],
      ...['the demo release.create', 'the demo promote.request', 'ada promotion.approve'],
      ...['the demo promote.switch', 'Sluice promotion.roll_back'],
    ]);
  });

  test('the outputs lie where it says, and no process is left', async () => {
    const [, folder = ''] = /Outputs lie in (\S+):/.exec(ended.out) ?? [];
    expect(folder.startsWith(project.folder)).toBe(true);
    await access(join(folder, 'delay-scores', 'scores', 'ds=2001-01-31', '_sluice.json'));
    expect(project.processes()).toEqual([]);
  });

  test('prints what docs/example.md shows', () => {
    const lasting = (text: string) =>
      text
        .replaceAll(/\b[a-z]+-[a-z]+\b(?=$| is on hold)/gm, 'ALIAS')
        .replaceAll(/(?<=run )\d+|0\.\d{4}/g, 'N')
        .replaceAll(/ {2,}/g, '  ');
    expect(lasting(ended.out)).toContain(lasting(examplesOf('docs/example.md', 'text', 2)[1] ?? ''));
  });
});

describe('what the demo leaves, on npm start', () => {
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    env = { ...NO_NEWS, PATH: await project.commandPath(), SLUICE_HOME: '.sluice/demo' };
    const started = project.spawnShell(START, { env });
    let said = '';
    started.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('its address', () => /runs at http/.test(said), 60_000);
  });

  test.each(COMMANDS)('%s', async (command) => {
    const { code, out } = await outcome(project.spawnShell(command, { env }), 30_000);
    expect([code, out.trim()]).toEqual([0, expect.stringMatching(/./)]);
  });
});
