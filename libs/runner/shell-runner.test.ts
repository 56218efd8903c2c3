import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
});
