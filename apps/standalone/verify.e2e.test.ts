import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TestProject, type RunningStandalone } from './standalone-fixture.ts';

// Runs that are executed again, and what nothing needs any more: the built program, real processes and files.
const STEADY = `name: steady
params: { text: { type: string, default: hello } }
paths: { raw: raw, words: words }
tasks:
  fetch: { run: 'mkdir "$PATH_RAW/deep" && echo "$PARAM_TEXT" > "$PATH_RAW/deep/a.txt"', writes: [raw] }
  count: { run: 'wc -c < "$PATH_RAW/deep/a.txt" > "$PATH_WORDS/count.txt"', reads: [raw], writes: [words] }
`;
const CLOCK = `name: clock
paths: { out: out, copy: copy }
tasks:
  look: { run: 'echo same > "$PATH_OUT/b.txt" && date +%s%N > "$PATH_OUT/now.txt"', writes: [out] }
  after: { run: 'cp "$PATH_OUT/now.txt" "$PATH_COPY/later.txt"', reads: [out], writes: [copy] }
`;
const READER = `name: reader
paths: { sum: sum }
tasks:
  add: { run: 'cat "$PATH_RAW/deep/a.txt" > "$PATH_SUM/s.txt"', reads: [steady.raw], writes: [sum] }
`;

const BROKEN = 'name: broken\ntasks: { a: { run: exit 3, retries: 0 } }\n';

let project: TestProject;
let running: RunningStandalone;
beforeAll(async () => {
  project = await TestProject.create({
    'dags/steady.yaml': STEADY,
    'dags/clock.yaml': CLOCK,
    'dags/reader.yaml': READER,
    'dags/broken.yaml': BROKEN,
  });
  running = await project.start();
});
afterAll(() => project.destroy());

const versions = (location: string) => readdir(join(project.home, 'storage/dev/.sluice/versions', location));

describe('sluice verify', () => {
  test('says reproducible, exits 0, and leaves nothing behind', async () => {
    const { id } = await running.run('steady');
    const before = await running.client.path('steady.words', 'dev');
    const { code, out, err } = await project.sluice('verify', id);
    expect([code, out.split('\n').slice(0, 2)]).toEqual([
      0,
      [expect.stringMatching(/^verdict +reproducible$/), expect.stringMatching(/^detail +All 2 files are the same\.$/)],
    ]);
    expect(err).toMatch(/^Run \d+ executes run \d+ again\.\n/);
    expect(await running.client.path('steady.words', 'dev')).toEqual(before);
    expect(await versions('steady/words')).toHaveLength(1);
  });

  test('names the task that writes the clock and its first file, and exits 10; so does the difference of the two runs', async () => {
    const { id } = await running.run('clock');
    const { code, out } = await project.sluice('verify', id, '-o', 'json');
    const found = JSON.parse(out) as {
      verdict: string;
      detail: string;
      shadowRunId: string;
      drifts: { file: string }[];
    };
    expect([code, found.verdict, found.detail]).toEqual([
      10,
      'drifted',
      'The first difference is in task look: out/now.txt differs. 2 of 3 files differ.',
    ]);
    expect(found.drifts.map(({ file }) => file)).toEqual(['now.txt', 'later.txt']);
    const shown = await project.sluice('verify', id, '--show');
    expect([shown.code, shown.out]).toEqual([10, expect.stringContaining('~ look  out/now.txt')]);
    const diff = await project.sluice('diff', id, found.shadowRunId, '--exit-code');
    expect([
      diff.code,
      diff.out
        .match(/^Files\n((?: {2}.+\n)+)/m)?.[1]
        ?.split('\n')
        .map((line) => line.split(':')[0]),
    ]).toEqual([10, ['  ~ look out/now.txt', '  ~ after copy/later.txt', '']]);
  });

  test('says not comparable, exits 11 and starts nothing when an input was deleted', async () => {
    await running.run('steady', { text: 'to be lost' });
    const { id } = await running.run('reader');
    const [input] = (await running.client.taskRun({ runId: id, task: 'add' })).inputs[0]!.versions;
    await rm(join(project.home, 'storage/dev/.sluice/versions', input!.version), { recursive: true });
    const { code, out } = await project.sluice('verify', id, '-o', 'json');
    expect([code, JSON.parse(out)]).toEqual([
      11,
      expect.objectContaining({
        verdict: 'not_comparable',
        shadowRunId: null,
        detail: `An input of task add is gone: steady/raw, version ${input!.version}.`,
      }),
    ]);
  });

  test('refuses a run that did not succeed, and one that is nowhere', async () => {
    expect((await project.sluice('verify', '4711')).code).toBe(5);
    const { id } = await running.run('broken');
    const refused = await project.sluice('verify', id);
    expect([refused.code, refused.err]).toEqual([6, expect.stringContaining('only a run that succeeded')]);
  });
});

test('sluice gc says what it would remove', async () => {
  const dry = await project.sluice('gc', '--dry-run', '--keep', '1', '--older-than', '1h', '-o', 'json');
  expect([dry.code, JSON.parse(dry.out)]).toEqual([
    0,
    expect.objectContaining({ dryRun: true, versions: [], problems: [] }),
  ]);
});
