import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Assignment, AttemptResult } from '#core';
import { createFileLogs, createFileStorage, createS3Storage, type EnvironmentStorage, S3Objects } from '#storage';
import { S3_TEST_KEYS, S3TestServer } from '../testing/s3-server.ts';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

const SECRET = 'hunter2/hunter2+"x"';
const out = { name: 'scores', variable: 'PATH_SCORES', location: 'p/scores' };
const LONG = {
  'long.mjs': `export const fail = (ctx) => {
          ctx.progress(1, 1, 'x'.repeat(195) + ctx.secrets.TOKEN);
          throw new Error('x'.repeat(ctx.params.before) + ctx.secrets.TOKEN + ' and more');
        };`,
  'long.py': 'def fail(ctx): raise ValueError("x" * ctx.params["before"] + ctx.secrets["TOKEN"])\n',
};

describe('an attempt', () => {
  let world: ExecutorFixture;
  let storage: EnvironmentStorage;
  beforeAll(async () => {
    world = await anExecutor(
      {
        '$(touch canary).sh': 'echo odd name',
        'a b;touch canary': 'x',
      },
      {
        secretValues: { TOKEN: SECRET },
        storage: (root) => (storage = createFileStorage({ root, durable: false })),
      },
    );
  });
  afterAll(() => world.stop());

  const evidenceOf = ({ runId, taskId, mapIndex, fence }: Assignment): Promise<AttemptResult | null> =>
    storage.readEvidence({ runId, taskId, mapIndex, fence });
  const staging = (): string[] => {
    const folder = join(world.folder, 'root', '.sluice', 'staging');
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  test('publishes what it wrote when it succeeds, and leaves evidence', async () => {
    const task = shell('echo 1 > "$PATH_SCORES/a.csv"', { writes: [out] });
    const result = await world.run(task);
    expect(result.versions).toMatchObject([{ name: 'scores', location: 'p/scores', files: 1, bytes: 2 }]);
    const folder = await storage.folder(result.versions[0]!.version);
    expect(readFileSync(join(folder, 'a.csv'), 'utf8')).toBe('1\n');
    expect(await evidenceOf(task)).toEqual(result);
    expect(staging()).toEqual([]);
  });

  test.each([490, 1_985])('no part of a secret is shown where a reason or a label is cut (%d)', async (before) => {
    const long = await anExecutor(LONG, { secretValues: { TOKEN: SECRET } });
    const secrets = { TOKEN: { env: 'TOKEN' } };
    const context = { ...anAssignment().context, params: { before } };
    const bodies: Assignment['body'][] = [
      { kind: 'node', file: 'long.mjs', export: 'fail' },
      { kind: 'python', file: 'long.py', module: null, function: 'fail' },
    ];
    for (const body of bodies) {
      const task = anAssignment({ body, secrets, context });
      const { outcome } = await long.run(task);
      expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(/^\w+: x+\*/) });
      const heard = JSON.stringify([outcome, long.reports, long.logOf(task)]);
      expect(heard).not.toContain('hunt');
    }
    expect(long.reports.filter(({ kind }) => kind === 'progress').at(-1)).toMatchObject({
      label: `${'x'.repeat(195)}***`,
    });
    await long.stop();
  });

  test('no part of a secret is shown where reading a file of metrics stopped', async () => {
    const most = 8 * 2 ** 20;
    const task = shell(`{ head -c ${most - 8} /dev/zero | tr '\\0' '\\n'; printf %s "$TOKEN"; } > "$SLUICE_METRICS"`, {
      secrets: { TOKEN: { env: 'TOKEN' } },
    });
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(world.logOf(task).at(0)).toMatch(/^sys \$SLUICE_METRICS of 8388619 bytes/);
    expect(JSON.stringify([result, world.logOf(task)])).not.toContain('hunt');
  });

  test('reads the version it was pinned to', async () => {
    const written = await world.run(shell('echo 7 > "$PATH_SCORES/a.csv"', { writes: [out] }));
    const versions = [{ ...written.versions[0]!, link: null }];
    const task = shell('cat "$PATH_SCORES/a.csv"; ls "$OUT_SCORES"', {
      reads: [{ name: 'scores', variable: 'PATH_SCORES', versions }],
      writes: [{ ...out, variable: 'OUT_SCORES' }],
    });
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(world.logOf(task)).toEqual(['out 7']);
  });

  test('reads and writes URIs, and publishes what it wrote there', async () => {
    const written = await world.run(shell('echo 7 > "$PATH_SCORES/a.csv"', { writes: [out] }));
    const version = { ...written.versions[0]!, link: null };
    const reads = [{ name: 'scores', variable: 'PATH_SCORES', versions: [version] }];
    const script =
      'curl --silent "${PATH_SCORES}a.csv" | sed s/7/8/ > "${OUT_SCORES#file://}a.csv"; echo "$PATH_SCORES"';
    const task = shell(script, { io: 'uri', reads, writes: [{ ...out, variable: 'OUT_SCORES' }] });
    const result = await world.run(task);
    expect(world.logOf(task)).toEqual([`out ${pathToFileURL(await storage.folder(version.version)).href}/`]);
    const folder = await storage.folder(result.versions[0]!.version);
    expect(readFileSync(join(folder, 'a.csv'), 'utf8')).toBe('8\n');
    expect(staging()).toEqual([]);
  });

  test.each(['exit 3', 'exit 99', 'exit 75', 'kill -9 $$'])('publishes nothing after %s', async (end) => {
    const result = await world.run(shell(`echo 1 > "$PATH_SCORES/a.csv"; ${end}`, { writes: [out] }));
    expect(result.versions).toEqual([]);
    expect(staging()).toEqual([]);
  });

  test('fails when what it wrote cannot be published', async () => {
    const task = shell('ln -s /etc/passwd "$PATH_SCORES/p"', { writes: [out] });
    const result = await world.run(task);
    expect(result).toMatchObject({ outcome: { kind: 'failed' }, versions: [] });
    expect(world.logOf(task).at(-1)).toMatch(/^sys /);
    expect(staging()).toEqual([]);
  });

  test('fails when its outputs are too large', async () => {
    const task = shell('head -c 300000 /dev/zero | tr "\\0" x | sed "s/^/big=/" > "$SLUICE_OUTPUT"', { writes: [out] });
    expect(await world.run(task)).toMatchObject({
      outcome: {
        kind: 'failed',
        message: 'the outputs are 300009 bytes, at most 262144 are allowed; write large results to a path',
      },
      versions: [],
      outputs: {},
    });
  });

  test('shows its secrets nowhere', async () => {
    const task = shell(
      `echo "$TOKEN"; printf %s "$TOKEN" | base64; echo "::output token=$TOKEN::"; echo "key $TOKEN" > "$SLUICE_SUMMARY"
       echo "::progress 1/2 $TOKEN::"; echo "$TOKEN" >&2; printf '%s' "$TOKEN" | head -c 8; sleep 0.05; printf '%s' "$TOKEN" | tail -c +9; exit 3`,
      { secrets: { TOKEN: { env: 'TOKEN' } } },
    );
    const result = await world.run(task);
    const seen = JSON.stringify([result, world.logOf(task), world.reports]);
    expect(seen).not.toMatch(/hunter2/);
    expect(seen).not.toContain(Buffer.from(SECRET).toString('base64'));
    expect(result).toMatchObject({ outputs: { token: '***' }, summary: 'key ***\n' });
    expect(world.logOf(task).sort()).toEqual(
      [
        'err ***',
        'out ***',
        'out ***',
        'out ***',
        'out ::output token=***::',
        'out ::progress 1/2 ***::',
        'sys exit code 3',
      ].sort(),
    );
  });

  test('fails, and says which, when a secret cannot be read', async () => {
    const task = shell('echo never', { secrets: { OTHER: { env: 'NOT_SET' } } });
    expect((await world.run(task)).outcome).toMatchObject({
      message: 'secret OTHER could not be read: NOT_SET is not set',
    });
    expect(world.logOf(task)).toEqual(['sys secret OTHER could not be read: NOT_SET is not set']);
  });

  test('has no secret that it did not name', async () => {
    const task = shell('env; cat /proc/self/environ | tr "\\0" "\\n"');
    await world.run(task);
    expect(world.logOf(task).join('\n')).not.toMatch(/hunter2|TOKEN/);
  });

  test('runs nothing that stands in a value or a name', async () => {
    const evil = `$(touch canary) \`touch canary\` "; touch canary; ' ; touch canary #\n touch canary`;
    const env = { PARAM_X: evil, DS: evil, SLUICE_MAP_KEY: evil };
    const context = { ...anAssignment().context, params: { x: evil }, matrix: { m: evil } };
    const task = shell('printf %s "$PARAM_X" > copy; ls; bash "./\\$(touch canary).sh"', {
      env,
      context,
      mapKey: evil,
    });
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(world.logOf(task)).toEqual(['out $(touch canary).sh', 'out a b;touch canary', 'out copy', 'out odd name']);
    expect(readdirSync(world.releaseDir)).toEqual(['$(touch canary).sh', 'a b;touch canary']);
    expect(existsSync('canary')).toBe(false);
  });

  test('is reported as started with its process, then as finished once', async () => {
    const task = shell('echo $$');
    await world.run(task);
    const mine = world.reports.filter(
      (report) => ('result' in report ? report.result : report).attemptId === task.attemptId,
    );
    expect(mine).toMatchObject([
      { kind: 'started', runId: task.runId, fence: 1, pid: Number(world.logOf(task)[0]!.slice(4)) },
      { kind: 'finished', result: { outcome: { kind: 'success' }, logLines: 1 } },
    ]);
  });
});

test('a log on real files holds the lines of an attempt, and a silent attempt has none', async () => {
  const logs = (root: string): ReturnType<typeof createFileLogs> => createFileLogs({ root });
  const world = await anExecutor({}, { logsFor: () => logs(join(world.folder, 'root')) });
  const [loud, silent] = [shell('for i in $(seq 1 2000); do echo "line $i"; done'), shell('true')];
  expect((await world.run(loud)).logLines).toBe(2_000);
  expect((await world.run(silent)).logLines).toBe(0);
  const key = { runId: loud.runId, taskId: 't', mapIndex: 0, number: 1 };
  const page = await logs(join(world.folder, 'root')).read(key, { fromLine: 1_999, limit: 10 });
  expect(page).toMatchObject({
    complete: true,
    lines: [
      { n: 1_999, text: 'line 1999' },
      { n: 2_000, stream: 'out' },
    ],
  });
  await world.stop();
});

test('an attempt opens a bucket with keys of its own, and leaves nothing there when it fails', async () => {
  const server = await S3TestServer.start();
  const { endpoint, settings } = server;
  const objects = new S3Objects('s3://test/root', settings);
  const world = await anExecutor(
    {},
    {
      secretValues: { KEYS: `${S3_TEST_KEYS.accessKeyId}:${S3_TEST_KEYS.secretAccessKey}` },
      storage: (folder) =>
        createS3Storage({ objects, folder, cacheBytes: 1024 ** 2, problem: (error) => expect(error).toBeNull() }),
    },
  );
  try {
    const s3 = 'curl --silent --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$KEYS"';
    const put = `echo 7 > a; sum=$(sha256sum < a); ${s3} -H "x-amz-content-sha256: \${sum%% *}" -T a "$AT/\${PATH_SCORES#s3://}a.csv"`;
    const about = { io: 'uri', env: { AT: endpoint }, secrets: { KEYS: { env: 'KEYS' } }, writes: [out] } as const;
    const written = await world.run(shell(put, about));
    expect(written).toMatchObject({ outcome: { kind: 'success' }, versions: [{ files: 1, bytes: 2 }] });
    const failed = await world.run(shell(`${put}; exit 3`, { ...about, fence: 2 }));
    expect(failed).toMatchObject({ outcome: { kind: 'failed' }, versions: [] });
    const folder = `root/.sluice/versions/${written.versions[0]!.version}`;
    const kept = server.buckets.keys('test').filter((key) => !key.includes('/evidence/'));
    expect(kept).toEqual([`${folder}/_sluice.json`, `${folder}/a.csv`]);
  } finally {
    await world.stop();
    await server.stop();
  }
});
