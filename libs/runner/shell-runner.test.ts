import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

describe('a shell task', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor({ 'lib/hello.sh': 'echo "hello from the release"' });
  });
  afterAll(() => world.stop());

  test.each([
    ['true', { kind: 'success' }],
    ['exit 3', { kind: 'failed', exitCode: 3, message: 'exit code 3' }],
    ['false | true', { kind: 'failed', exitCode: 1, message: 'exit code 1' }],
    ['echo "$NOT_THERE"', { kind: 'failed', exitCode: 1, message: 'exit code 1' }],
    ['no-such-command', { kind: 'failed', exitCode: 127, message: 'exit code 127 (command not found)' }],
    ['kill -SEGV $$', { kind: 'failed', exitCode: null, message: 'ended by SIGSEGV' }],
    ['exit 99', { kind: 'skipped', message: 'exit code 99: the task skipped itself' }],
    ['exit 75', { kind: 'deferred', afterMs: 60_000, message: 'exit code 75: try again later' }],
    [
      'echo "::retry-after 30s::"; exit 75',
      { kind: 'deferred', afterMs: 30_000, message: 'exit code 75: try again later' },
    ],
    [
      'echo "::retry-after 2m::"; exit 1',
      { kind: 'deferred', afterMs: 120_000, message: 'exit code 1: try again later' },
    ],
    ['echo "::retry-after 2m::"', { kind: 'success' }],
  ])('%s', async (script, outcome) => {
    const result = await world.run(shell(script));
    expect(result.outcome).toEqual(outcome);
  });

  test('writes to /dev/stdout and /dev/stderr, which are real pipes', async () => {
    const task = shell('echo one > /dev/stdout; echo two > /dev/stderr');
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(world.logOf(task).sort()).toEqual(['err two', 'out one']);
  });

  test('starts in a scratch folder with links to the release, and leaves nothing behind', async () => {
    const task = shell('bash lib/hello.sh; pwd; touch mine; ls; [ "$PWD" = "$SLUICE_SCRATCH" ]; umask');
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    const [hello, folder, ...rest] = world.logOf(task);
    expect(hello).toBe('out hello from the release');
    expect(rest).toEqual(['out lib', 'out mine', 'out 0077']);
    const look = shell(`[ ! -e '${folder!.slice(4)}' ]`);
    expect((await world.run(look)).outcome).toEqual({ kind: 'success' });
  });

  test('sees a clean environment', async () => {
    const task = shell('env | cut -d= -f1 | sort', { env: { DS: '2026-01-01', PARAM_X: '1' } });
    await world.run(task);
    expect(world.logOf(task).map((line) => line.slice(4))).toEqual(
      [
        'DS',
        'HOME',
        'LANG',
        'PARAM_X',
        'PATH',
        'PWD',
        'PYTHONDONTWRITEBYTECODE',
        'PYTHONUNBUFFERED',
        'SHLVL',
        'SLUICE_METRICS',
      ]
        .concat([
          'SLUICE_OUTPUT',
          'SLUICE_PROCESS',
          'SLUICE_RELEASE_DIR',
          'SLUICE_SCRATCH',
          'SLUICE_SUMMARY',
          'TMPDIR',
          'TZ',
          '_',
        ])
        .sort(),
    );
  });

  test('tells outputs, metrics and a summary through lines and files', async () => {
    const task = shell(`
      echo '::output rows=1200::'; echo '::metric name=auc value=0.91 step=3::'; echo '::metric name=bad value=NaN::'
      echo 'name=flights' >> "$SLUICE_OUTPUT"; echo '{"list":[1,2]}' >> "$SLUICE_OUTPUT"
      echo '{"name":"loss","value":0.5,"ts":1700000000000}' >> "$SLUICE_METRICS"
      echo '# done' > "$SLUICE_SUMMARY"; echo '::progress 40/100 loading::'`);
    const result = await world.run(task);
    expect(result.outputs).toEqual({ rows: 1200, name: 'flights', list: [1, 2] });
    expect(result.metrics).toMatchObject([
      { name: 'auc', value: 0.91, step: 3 },
      { name: 'loss', value: 0.5, step: null, ts: 1_700_000_000_000 },
    ]);
    expect(result.summary).toBe('# done\n');
    expect(world.logOf(task)).toContain('sys metric bad: the value "NaN" is not a finite number');
    expect(world.reports).toContainEqual(
      expect.objectContaining({ kind: 'progress', attemptId: task.attemptId, done: 40, total: 100, label: 'loading' }),
    );
  });

  test('may print one line of 50 MB, or 50 MB of lines, without harm to the log or the next task', async () => {
    const limits = { logs: { maxBytes: 64 * 1024, maxLineBytes: 1024 } };
    const line = shell("head -c 50000000 /dev/zero | tr '\\0' x", limits);
    const lines = shell('(yes || true) | head -c 50000000; echo "::output done=1::"', limits);
    const [one, many] = await Promise.all([world.run(line), world.run(lines)]);
    expect(world.logOf(line)).toEqual([`out ${'x'.repeat(1024)} … (line of 50000000 bytes, cut at 1024)`]);
    expect(one.logLines).toBe(1);
    expect(many.outputs).toEqual({ done: 1 });
    expect(many.logLines).toBe(4 * 1024 + 2);
    expect(world.logOf(lines).at(-1)).toBe('sys … 24995905 more lines (49991826 bytes) were not kept');
    expect((await world.run(shell('true'))).outcome).toEqual({ kind: 'success' });
  });

  test('may close its output', async () => {
    expect((await world.run(shell('exec >&- 2>&-; exit 4'))).outcome).toMatchObject({ exitCode: 4 });
  });

  test('may be longer than an argument can be', async () => {
    const task = shell(`${'# a comment\n'.repeat(20_000)}echo "at the end"`);
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(world.logOf(task)).toEqual(['out at the end']);
  });

  test('fails with the reason when its environment is larger than the system allows', async () => {
    const result = await world.run(shell('true', { env: { BIG: 'x'.repeat(200_000) } }));
    expect(result.outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^the shell could not be started: .*E2BIG/),
    });
  });

  test('leaves no scratch, not even one that it made read-only', async () => {
    await world.run(shell('mkdir -p deep/er && touch deep/er/x && chmod -R a-w deep; rm "$SLUICE_SCRATCH/lib"'));
    const [launcher] = readdirSync(world.scratchFolder);
    expect(readdirSync(join(world.scratchFolder, launcher!))).toEqual(['pipes']);
  });
});
