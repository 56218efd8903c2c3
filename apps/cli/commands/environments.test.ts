import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ContractServer } from '../fixture/contract-server.ts';
import { aPipeline, aPipelineDetail, aRun, aSeries, anAlert } from '../fixture/records.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());

describe('run', () => {
  beforeEach(() => {
    server.on('GET /pipelines/flight-delays', {
      json: aPipelineDetail({ version: { type: 'string' }, sample: { type: 'number' }, extra: { type: 'object' } }),
    });
    server.on('POST /pipelines/flight-delays/runs', {
      status: 201,
      json: aRun({ state: 'queued', startedAt: null, finishedAt: null }),
    });
  });

  test('reads parameters in the types that the pipeline declares', async () => {
    const params = ['-p', 'version=1.0', '--param', 'sample=0.5', '-p', 'extra={"a":1}', '-p', 'unknown=word'];
    const { code, out, err } = await sluice(['run', 'flight-delays', ...params, '-o', 'name'], { env: server.env });
    expect([code, out, err]).toEqual([0, '7\n', 'follow it: sluice runs watch 7\n']);
    expect(server.asked[1]?.body).toEqual({
      environment: 'dev',
      params: { version: '1.0', sample: 0.5, extra: { a: 1 }, unknown: 'word' },
    });
  });

  test('without parameters one request is enough', async () => {
    await sluice(['run', 'flight-delays', '--at', '2026-01-02', '-e', 'test', '-q'], { env: server.env });
    expect(server.asked.map(({ body }) => body)).toEqual([{ environment: 'test', params: {}, at: '2026-01-02' }]);
  });

  test.each([
    [['--from', '2026-01-01'], '--from was given without --to.'],
    [['--from', '2026-01-02', '--to', '2026-01-01'], 'The interval is empty'],
    [['--at', '2026-02-30'], 'Expected ISO 8601'],
    [['--at', 'yesterday'], 'Expected ISO 8601'],
    [['--param', 'Sample=1'], 'Expected name=value'],
    [['--param', 'a=1', '--param', 'a=2'], '"a" is given twice.'],
    [['--watch', '--wait'], 'cannot be used with'],
    [['--wach'], 'Did you mean --watch?'],
  ])('%j is a usage error', async (options, message) => {
    const { code, err } = await sluice(['run', 'flight-delays', ...options], { env: server.env });
    expect([code, server.asked]).toEqual([2, []]);
    expect(err).toContain(message);
    expect(err).toMatch(/hint: /);
  });

  test('problems of a file are listed with their places, exit 3', async () => {
    const problems = [
      { file: 'dags/x.yaml', line: 3, column: 5, message: 'unknown key "rn"', hint: 'Did you mean "run"?' },
    ];
    const error = { code: 'invalid_config', message: 'dags/x.yaml has a problem.', problems };
    server.on('POST /pipelines/flight-delays/runs', { status: 422, json: { error } });
    const human = await sluice(['run', 'flight-delays'], { env: server.env });
    expect([human.code, human.err]).toEqual([
      3,
      'error: dags/x.yaml has a problem.\n  dags/x.yaml:3:5: unknown key "rn"\n    hint: Did you mean "run"?\n',
    ]);
    const json = await sluice(['run', 'flight-delays', '--json'], { env: server.env });
    expect(JSON.parse(json.err)).toEqual({
      error: {
        code: 'invalid_config',
        message: 'dags/x.yaml has a problem.',
        hint: null,
        at: 'dags/x.yaml:3:5',
        problems,
      },
    });
  });
});

describe('pipelines', () => {
  test('list shows status, the next fire and the last runs', async () => {
    server.on('GET /pipelines', {
      json: { items: [aPipeline(), aPipeline({ name: 'other', paused: true, lastRuns: [] })] },
    });
    const env = { ...server.env, NO_COLOR: '1' };
    expect((await sluice(['pipelines', 'list'], { env, tty: true })).out).toBe(
      [
        'PIPELINE       STATUS  SCHEDULE       NEXT       LAST RUNS  ACTIVE',
        'flight-delays  active  0 3 * * * UTC  in 15h00m  ✓✗▶             1',
        'other          paused  0 3 * * * UTC  in 15h00m  -               1',
        '',
      ].join('\n'),
    );
    expect((await sluice(['pipelines', 'ls', '-o', 'csv'], { env })).out.split('\n')[1]).toBe(
      'flight-delays,active,0 3 * * * UTC,2026-01-04T03:00:00Z,success failed running,1,team-data,daily,ab12cd34ef56',
    );
  });

  test('a broken pipeline says where', async () => {
    const problems = [{ file: 'dags/other.yaml', line: 1, column: 1, message: 'is empty' }];
    server.on('GET /pipelines', { json: { items: [aPipeline({ problems })] } });
    const { out, err } = await sluice(['pipelines', 'list'], { env: server.env });
    expect(out).toContain('broken');
    expect(err).toBe('warning: dags/other.yaml:1:1: is empty\n');
  });

  test('show lists its tasks', async () => {
    server.on('GET /pipelines/flight-delays', { json: aPipelineDetail({ sample: { type: 'number' } }) });
    const { out } = await sluice(['pipelines', 'show', 'flight-delays'], { env: server.env });
    expect(out).toContain('params           sample\n');
    expect(out).toContain(
      'TASK    KIND  AFTER  READS  WRITES  WHEN\ningest  run   -      -      -       all_success\n',
    );
  });

  test.each(['pause', 'unpause'])('%s acts on one environment', async (verb) => {
    server.on(`POST /pipelines/flight-delays/${verb}`, { json: aPipeline({ paused: verb === 'pause' }) });
    const { code } = await sluice([verb, 'flight-delays', '--env', 'prod'], { env: server.env });
    expect(code).toBe(0);
    expect(server.asked[0]?.body).toEqual({ environment: 'prod' });
  });
});

describe('metrics show', () => {
  test('one row per metric with a sparkline, or one per value', async () => {
    server.on('GET /pipelines/delay-model/metrics', { json: { items: [aSeries([0.61, 0.66, 0.712345])] } });
    const table = await sluice(['metrics', 'show', 'delay-model', '--name', 'auc', '--task', 'evaluate'], {
      env: server.env,
    });
    expect(table.out).toBe(
      [
        'TASK      METRIC  MAP     LAST   MIN      MAX  RUNS  AT                    TREND',
        'evaluate  auc     -    0.71235  0.61  0.71235     3  2026-01-03T00:00:00Z  ▁▄█',
        '',
      ].join('\n'),
    );
    expect(server.asked[0]?.query).toEqual({ env: 'dev', task: 'evaluate', name: 'auc', limit: '200' });
    const points = await sluice(['metrics', 'show', 'delay-model', '--points', '-o', 'csv'], { env: server.env });
    expect(points.out.split('\n').slice(0, 2)).toEqual([
      'task,metric,map,interval_start,value,at,run,release',
      'evaluate,auc,,,0.61,2026-01-01T00:00:00Z,1,ab12cd34ef56',
    ]);
  });
});

describe('backfill create', () => {
  test('prints each interval with its reason and counts them', async () => {
    const interval = { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' };
    const intervals = [
      { interval, action: 'create', reason: 'missing', runId: null },
      { interval, action: 'skip', reason: 'exists', runId: '4' },
    ];
    server.on('POST /backfills', { json: { backfill: null, intervals } });
    const range = ['--from', '2026-01-01', '--to', '2026-01-03', '--dry-run'];
    const { out, err } = await sluice(['backfill', 'create', 'flight-delays', ...range], { env: server.env });
    expect(out.split('\n')[1]).toBe('2026-01-01T00:00:00Z/2026-01-02T00:00:00Z  create  missing  -');
    expect(err).toBe('Would create 1 run, leaves out 1 of 2 intervals.\ndo it: the same command without --dry-run\n');
    expect(server.asked[0]?.body).toEqual({
      environment: 'dev',
      pipeline: 'flight-delays',
      from: '2026-01-01',
      to: '2026-01-03',
      reprocess: 'missing',
      dryRun: true,
    });
  });

  test('says why there is nothing to do', async () => {
    const nothing = 'No interval of "flight-delays" begins then: its first one begins at 2026-02-01T00:00:00.000Z.';
    server.on('POST /backfills', { json: { backfill: null, intervals: [], nothing } });
    const range = ['--from', '2026-01-01', '--to', '2026-01-03'];
    const done = await sluice(['backfill', 'create', 'flight-delays', ...range, '-o', 'json'], { env: server.env });
    expect(done).toMatchObject({ code: 0, out: '[]\n', err: `Nothing to do. ${nothing}\n` });
  });

  test('both ends are required', async () => {
    const { code, err } = await sluice(['backfill', 'create', 'p', '--from', '2026-01-01'], { env: server.env });
    expect(code).toBe(2);
    expect(err).toContain("required option '--to <instant>' not specified");
  });
});

describe('path', () => {
  const found = {
    location: 'p/raw',
    folder: '/data/p/raw',
    version: 'v1',
    manifestHash: 'h',
    runId: '7',
    publishedAt: '2026-01-03T11:00:00.000Z',
  };

  test('prints nothing but the location', async () => {
    server.on('GET /paths', { json: found });
    const { out, err } = await sluice(['path', 'p.raw', '--env', 'prod', '--at', '2026-01-02T03:00'], {
      env: server.env,
      tty: true,
    });
    expect([out, err]).toEqual(['/data/p/raw\n', '']);
    expect(server.asked[0]?.query).toEqual({ ref: 'p.raw', env: 'prod', at: '2026-01-02T03:00:00.000Z' });
  });

  test('nothing published yet is exit 5, so that $(…) does not go on with an empty word', async () => {
    server.on('GET /paths', { json: { ...found, folder: null, version: null } });
    const { code, out, err } = await sluice(['path', 'p.raw'], { env: server.env });
    expect([code, out]).toEqual([5, '']);
    expect(err).toContain('hint: `sluice run p --env dev` publishes it.');
  });
});

describe('alerts', () => {
  test('list shows what went where', async () => {
    server.on('GET /alerts', { json: { items: [anAlert()], next: null } });
    const { out } = await sluice(['alerts', 'list', '-l', '0'], { env: server.env });
    expect(out).toContain('run.failed  slack:#data  sent');
    expect(server.asked[0]?.query).toEqual({ env: 'dev', limit: '200' });
  });

  test('test waits until each was tried, and names what was refused', async () => {
    const mail = { id: '2', target: 'email:a@b' };
    server.on('POST /alerts/test', {
      json: { items: [anAlert(), anAlert({ ...mail, state: 'pending', detail: null })] },
    });
    server.on('GET /alerts', {
      json: { items: [anAlert({ ...mail, state: 'rejected', detail: 'no such user' })], next: null },
    });
    const { code, out, err } = await sluice(['alerts', 'test'], { env: server.env });
    expect(code).toBe(1);
    expect(out).toBe(
      'TARGET       STATE     TRIES  DETAIL\nslack:#data  sent          1  ok\nemail:a@b    rejected      1  no such user\n',
    );
    expect(err).toBe('error: 1 of 2 test alerts did not arrive.\nhint: email:a@b: no such user\n');
  });

  test('test of one target that is not reached in time is exit 8', async () => {
    server.on('POST /alerts/test', { json: { items: [anAlert({ state: 'pending' })] } });
    server.on('GET /alerts', { json: { items: [anAlert({ state: 'pending' })], next: null } });
    const { code } = await sluice(['alerts', 'test', '--to', 'slack:#x', '--timeout', '100ms'], { env: server.env });
    expect(code).toBe(8);
    expect(server.asked[0]?.body).toEqual({ environment: 'dev', target: 'slack:#x' });
  });
});

describe('open', () => {
  test('prints a URL whose code works once, never the token', async () => {
    server.on('POST /login/codes', { status: 201, json: { code: 'a b&c' } });
    const { out } = await sluice(['open', '/runs/7', '--print'], { env: server.env });
    expect(out).toBe(`${server.url}/runs/7#code=a+b%26c\n`);
  });

  test.each(['//evil.example', 'https://evil.example', '/\\evil.example'])(
    '%s is no page of this server',
    async (page) => {
      expect((await sluice(['open', page], { env: server.env })).code).toBe(2);
      expect(server.asked).toEqual([]);
    },
  );
});

describe('the server', () => {
  test('that refuses the token is exit 4', async () => {
    const { code, err } = await sluice(['runs', 'list'], { env: { SLUICE_URL: server.url, SLUICE_TOKEN: 'wrong' } });
    expect([code, err]).toEqual([4, 'error: The token is wrong.\n']);
  });

  test('that does not answer is exit 1 with the remedy', async () => {
    const { env } = server;
    await server.stop();
    const { code, err } = await sluice(['runs', 'list'], { env });
    expect(code).toBe(1);
    expect(err).toContain('(ECONNREFUSED)');
    expect(err).toContain('`npm start` starts one');
    await server.start();
  });

  test('that sends a redirect is not followed with the token', async () => {
    server.stream('GET /runs', (response) => void response.writeHead(302, { location: 'http://evil.example/' }).end());
    expect((await sluice(['runs', 'list'], { env: server.env })).code).toBe(1);
  });
});
