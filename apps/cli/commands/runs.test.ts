import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ContractServer, TOKEN, eventStream } from '../fixture/contract-server.ts';
import { aRun, aRunDetail, aTaskRun } from '../fixture/records.ts';
import { NOW, sluice } from '../fixture/test-io.ts';
import { Interrupt } from '../io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());

describe('runs list', () => {
  beforeEach(() => {
    server.on('GET /runs', (asked) =>
      asked.query.cursor === 'c1'
        ? { json: { items: [aRun({ id: '1', state: 'failed', reason: 'Task "train" failed' })], next: null } }
        : { json: { items: [aRun({ id: '3', state: 'running', finishedAt: null }), aRun({ id: '2' })], next: 'c1' } },
    );
  });

  test('a pipe gets ISO 8601, bare words and seconds', async () => {
    const { code, out, err } = await sluice(['runs', 'list'], { env: server.env });
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'ID  PIPELINE       STATE    INTERVAL                                   TRIGGER   CREATED               DURATION',
        '3   flight-delays  running  2026-01-01T00:00:00Z/2026-01-02T00:00:00Z  schedule  2026-01-03T11:00:00Z      3599',
        '2   flight-delays  success  2026-01-01T00:00:00Z/2026-01-02T00:00:00Z  schedule  2026-01-03T11:00:00Z      12.3',
        '1   flight-delays  failed   2026-01-01T00:00:00Z/2026-01-02T00:00:00Z  schedule  2026-01-03T11:00:00Z      12.3',
        '',
      ].join('\n'),
    );
  });

  test('a terminal gets relative times, short intervals and a symbol beside the word', async () => {
    const { out } = await sluice(['runs', 'list'], { env: { ...server.env, NO_COLOR: '1' }, tty: true });
    expect(out.split('\n')[1]).toBe('3   flight-delays  ▶ running  2026-01-01  schedule  1h00m ago    59m59s');
  });

  test('a narrow terminal gets cut cells, never a cut id', async () => {
    const { out } = await sluice(['runs', 'list'], { env: { ...server.env, NO_COLOR: '1' }, tty: true, columns: 70 });
    for (const line of out.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(70);
    expect(out).toContain('flight-dela…');
  });

  test('pages are followed until the limit is reached', async () => {
    const { out } = await sluice(['runs', 'list', '-o', 'name', '--limit', '2'], { env: server.env });
    expect(out).toBe('3\n2\n');
    expect(server.asked.map(({ query }) => query)).toEqual([{ env: 'dev', limit: '2' }]);
  });

  test('filters become the query', async () => {
    await sluice(['runs', 'list', 'flight-delays', '--state', 'failed', '-e', 'prod', '-l', '0'], { env: server.env });
    expect(server.asked[0]?.query).toEqual({ env: 'prod', pipeline: 'flight-delays', state: 'failed', limit: '200' });
  });

  test('JSON is one document with the fields of the contract', async () => {
    const { out } = await sluice(['runs', 'list', '--json', '-l', '1'], { env: server.env });
    expect(JSON.parse(out)).toMatchInlineSnapshot(`
     [
       {
         "cancelRequested": false,
         "counts": {
           "success": 2,
         },
         "createdAt": "2026-01-03T11:00:00.000Z",
         "deadlineAt": null,
         "dirty": false,
         "environment": "dev",
         "finishedAt": null,
         "id": "3",
         "interval": {
           "end": "2026-01-02T00:00:00.000Z",
           "start": "2026-01-01T00:00:00.000Z",
         },
         "originRun": null,
         "params": {},
         "pipeline": "flight-delays",
         "reason": null,
         "release": "ab12cd34ef56ab12cd34ef56",
         "shadow": false,
         "startedAt": "2026-01-03T11:00:01.000Z",
         "state": "running",
         "trigger": "schedule",
         "why": "The schedule fired for 2026-01-01.",
       },
     ]
    `);
  });

  test('NDJSON, CSV and YAML hold the same runs', async () => {
    const asked = async (format: string): Promise<string> =>
      (await sluice(['runs', 'list', '-o', format], { env: server.env })).out;
    expect((await asked('ndjson')).trim().split('\n')).toHaveLength(3);
    expect((await asked('csv')).split('\n')[3]).toBe(
      '1,flight-delays,failed,2026-01-01T00:00:00Z/2026-01-02T00:00:00Z,schedule,2026-01-03T11:00:00Z,12.3,dev,ab12cd34ef56,"Task ""train"" failed"',
    );
    expect(await asked('yaml')).toContain('- id: "3"\n  environment: dev\n');
  });

  test('the token is sent and never shown', async () => {
    const { out, err } = await sluice(['runs', 'list', '--json'], { env: { ...server.env, SLUICE_DEBUG: '1' } });
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(out + err).not.toContain(TOKEN);
  });
});

describe('runs show', () => {
  test('names the task that failed and how to read its log', async () => {
    const rows = [
      aTaskRun(),
      aTaskRun({ taskId: 'train', mapIndex: 2, mapKey: 'lr=0.1', state: 'failed', reason: 'exit code 3' }),
    ];
    server.on('GET /runs/7', { json: aRunDetail({ state: 'failed' }, rows) });
    const { out, err } = await sluice(['runs', 'show', '7'], { env: server.env });
    expect(out).toContain('train   lr=0.1  failed');
    expect(err).toBe('read its log: sluice logs 7/train --map 2\n');
  });

  test('a run that does not exist is exit 5, with one JSON document on stderr', async () => {
    const { code, out, err } = await sluice(['runs', 'show', '99', '--json'], { env: server.env });
    expect([code, out]).toEqual([5, '']);
    expect(JSON.parse(err)).toEqual({
      error: { code: 'not_found', message: 'There is no /runs/99.', hint: null, at: null },
    });
  });

  test('an id cannot become another address', async () => {
    await sluice(['runs', 'show', '../pipelines/x?env=prod'], { env: server.env });
    expect(server.asked[0]?.path).toBe('/runs/..%2Fpipelines%2Fx%3Fenv%3Dprod');
  });

  test('escape codes of a server never reach the terminal', async () => {
    server.on('GET /runs/7', { json: aRunDetail({ why: 'a\u001b]0;title\u0007b\u001b[2Jc\u202ed' }) });
    const { out } = await sluice(['runs', 'show', '7'], { env: server.env, tty: true });
    expect(out).toContain('abcd');
    expect(out).not.toMatch(/\u001b\[2J|\u001b\]|\u0007|\u202e/);
  });
});

describe('runs watch', () => {
  test('one line per change, the run on stdout, exit 7 when it failed', async () => {
    let state = 0;
    const steps = [
      aRunDetail({ state: 'running', finishedAt: null }, [aTaskRun({ state: 'running', finishedAt: null })]),
      aRunDetail({ state: 'failed', reason: 'Task "ingest" failed on try 1 of 1' }, [
        aTaskRun({ state: 'failed', reason: 'exit code 3' }),
      ]),
    ];
    server.on('GET /runs/7', (_asked) => ({ json: steps[state] }));
    server.stream('GET /events', (response) => {
      const send = eventStream(response);
      state = 1;
      send(null, { kind: 'run', environment: 'dev', pipeline: 'flight-delays', runId: '7', state: 'failed' }, '5');
    });
    const { code, out, err } = await sluice(['runs', 'watch', '7', '-o', 'name'], { env: server.env });
    expect(code).toBe(7);
    expect(out).toBe('7\n');
    expect(err).toContain('2026-01-03T11:00:05Z ingest failed in 4.0s: exit code 3\n');
    expect(err).toContain(
      'error: Run 7 of flight-delays ended failed: Task "ingest" failed on try 1 of 1: exit code 3\n',
    );
    expect(err).toContain('hint: `sluice logs 7/ingest` shows why');
  });

  test('a server that is restarted meanwhile is waited for', async () => {
    let state: 'running' | 'success' = 'running';
    server.on('GET /runs/7', () => ({ json: aRunDetail({ state, finishedAt: null }) }));
    server.stream('GET /events', (response) => void eventStream(response));
    const port = Number(new URL(server.url).port);
    let phase: 'up' | 'down' | 'up again' = 'up';
    const onErr = (text: string): void => {
      if (phase === 'up' && text.includes('run 7 running')) {
        phase = 'down';
        void server.stop();
      } else if (phase === 'down' && text.includes('does not answer')) {
        phase = 'up again';
        state = 'success';
        void server.start(port);
      }
    };
    const { code, err } = await sluice(['runs', 'watch', '7'], { env: server.env, onErr });
    expect(code).toBe(0);
    expect(err).toContain('The server does not answer; waiting for it.\n');
  });

  test('a task run that was taken over says from where', async () => {
    server.on('GET /runs/8', { json: aRunDetail({ id: '8' }, [aTaskRun({ originRun: '7' })]) });
    server.stream('GET /events', (response) => void eventStream(response));
    const { err } = await sluice(['runs', 'watch', '8'], { env: server.env });
    expect(err).toContain('ingest success, taken over from run 7\n');
  });

  test('a run that began and ended between two looks says both, once', async () => {
    server.on('GET /runs/7', { json: aRunDetail() });
    server.stream('GET /events', (response) => void eventStream(response));
    const { err } = await sluice(['runs', 'watch', '7'], { env: server.env });
    expect(err.match(/run 7 \w+/g)).toEqual(['run 7 running', 'run 7 success']);
  });

  test('a run that does not end in time is exit 8 and goes on', async () => {
    server.on('GET /runs/7', { json: aRunDetail({ state: 'running', finishedAt: null }) });
    server.stream('GET /events', (response) => void eventStream(response));
    const { code, err } = await sluice(['runs', 'watch', '7', '--wait', '--timeout', '200ms'], { env: server.env });
    expect(code).toBe(8);
    expect(err).toContain('Run 7 was still running after 200ms.');
  });

  test('Ctrl-C ends the watching with 130 and says that the run goes on', async () => {
    const interrupt = new Interrupt();
    server.on('GET /runs/7', { json: aRunDetail({ state: 'running', finishedAt: null }) });
    server.stream('GET /events', (response) => void eventStream(response));
    const onErr = (text: string): void => {
      if (text.includes('run 7 running')) interrupt.fire();
    };
    const { code, err } = await sluice(['runs', 'watch', '7'], { env: server.env, interrupt, onErr });
    expect(code).toBe(130);
    expect(err).toContain('Run 7 goes on.\nend it: sluice runs cancel 7\n');
  });

  test('a terminal is redrawn in place', async () => {
    server.on('GET /runs/7', { json: aRunDetail({}, [aTaskRun(), aTaskRun({ taskId: 'features' })]) });
    server.stream('GET /events', (response) => void eventStream(response));
    const { code, out, err } = await sluice(['runs', 'watch', '7'], {
      env: { ...server.env, NO_COLOR: '1' },
      tty: true,
    });
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain(
      '✓ success  flight-delays dev, run 7, 12.3s\n  ✓ ingest  success, 4.0s\n  ✓ features  success, 4.0s\n',
    );
    expect(err).toContain('\u001b[3A\u001b[0J');
  });
});

describe('runs cancel, rerun, why', () => {
  test('cancels in the order given and stops at the first refusal', async () => {
    server.on('POST /runs/1/cancel', { json: aRun({ id: '1', cancelRequested: true }) });
    server.on('POST /runs/2/cancel', {
      status: 409,
      json: { error: { code: 'conflict', message: 'Run 2 has ended.' } },
    });
    const { code, out, err } = await sluice(['runs', 'cancel', '1', '2', '3', '-o', 'name'], { env: server.env });
    expect([code, out, err]).toEqual([6, '1\n', 'error: Run 2 has ended.\n']);
  });

  test.each([
    [['runs', 'rerun', '7'], { mode: 'failed', release: 'same' }],
    [['runs', 'rerun', '7', '--failed'], { mode: 'failed', release: 'same' }],
    [['runs', 'rerun', '7', '--all', '--current-release'], { mode: 'all', release: 'current' }],
    [['runs', 'rerun', '7', '--from', 'train'], { mode: 'from', task: 'train', release: 'same' }],
  ])('%j asks for %j', async (argv, body) => {
    server.on('POST /runs/7/rerun', { status: 201, json: aRun({ id: '8', originRun: '7' }) });
    const { code, out } = await sluice([...argv, '-o', 'name'], { env: server.env });
    expect([code, out]).toEqual([0, '8\n']);
    expect(server.asked[0]?.body).toEqual(body);
  });

  test('several are run again one after the other; resume goes on with the release of now, and says what is outdated', async () => {
    const outdated = [{ taskId: 'load', why: 'body.script, load.py changed' }];
    server.on('POST /runs/7/rerun', { status: 201, json: { ...aRun({ id: '9', originRun: '7' }), outdated } });
    server.on('POST /runs/8/rerun', { status: 201, json: aRun({ id: '10', originRun: '8' }) });
    const { code, out, err } = await sluice(['runs', 'resume', '7', '8', '-o', 'name'], { env: server.env });
    expect([code, out]).toEqual([0, '9\n10\n']);
    expect(server.asked.map(({ body }) => body)).toEqual(Array(2).fill({ mode: 'failed', release: 'current' }));
    expect(err).toBe(
      'warning: Task "load" is taken over from run 7 although body.script, load.py changed. `--from load` executes it again.\n',
    );
  });

  test('a mark says what, and why; it may be about one task run', async () => {
    const marked = { as: 'success', by: 'ann', reason: 'loaded by hand', at: '2026-01-03T12:00:00.000Z' } as const;
    server.on('POST /runs/7/marks', { json: aRun({ state: 'failed', marked }) });
    const argv = ['runs', 'mark', '7', '--as', 'success', '--reason', 'loaded by hand'];
    const { out } = await sluice([...argv, '--task', 'load', '--map', '2', '-o', 'wide'], { env: server.env });
    expect(server.asked[0]?.body).toEqual({ as: 'success', reason: 'loaded by hand', task: 'load', map: 2 });
    expect(out).toContain('marked success by ann: loaded by hand');
    expect((await sluice(argv.slice(0, 5), { env: server.env })).code).toBe(2);
  });

  describe('by filter', () => {
    const argv = ['runs', 'rerun', '--pipeline', 'p', '--since', '2026-01-01', '-e', 'prod', '-l', '2', '-o', 'name'];
    beforeEach(() => {
      server.on('GET /runs', { json: { items: [aRun({ id: '3' }), aRun({ id: '2' })], next: 'c' } });
    });

    test('lists what it would be, and does nothing', async () => {
      const { code, out, err } = await sluice(argv, { env: server.env });
      expect([code, out]).toEqual([0, '3\n2\n']);
      const more = 'warning: More runs match; these are the newest 2 (--limit, at most 500).\n';
      expect(err).toBe(`${more}Nothing was done. Add --yes to rerun these 2 runs.\n`);
      const query = { env: 'prod', pipeline: 'p', state: 'failed,timed_out', from: '2026-01-01', limit: '2' };
      expect(server.asked.map((asked) => asked.query)).toEqual([query]);
    });

    test('with --yes acts on exactly those; each answers for itself', async () => {
      server.on('GET /runs', { json: { items: [aRun({ id: '3' }), aRun({ id: '2' })], next: null } });
      const done = { runId: '3', pipeline: 'p', interval: null, outcome: 'done', message: null, created: '9' };
      const refused = {
        ...done,
        runId: '2',
        outcome: 'refused',
        message: 'Run 2 has nothing that failed.',
        created: null,
      };
      server.on('POST /runs/bulk', { json: { items: [done, refused] } });
      const { code, out, err } = await sluice([...argv, '--yes'], { env: server.env });
      expect([code, out, err]).toEqual([6, '9\n2\n', 'warning: 1 of 2 runs were refused; the others were done.\n']);
      const action = { kind: 'rerun', mode: 'failed', release: 'same' };
      expect(server.asked[1]?.body).toEqual({ environment: 'prod', runs: ['3', '2'], action });
    });

    test.each([
      [['runs', 'cancel'], 'No run is named.'],
      [['runs', 'cancel', '7', '--state', 'queued'], 'Runs are named, and --state given, too.'],
      [['runs', 'rerun', '--state', 'failed', '--from', 't'], '--from names a task of one run.'],
      [['runs', 'cancel', '--state', 'fialed'], '"fialed" is no state of a run'],
    ])('%j is a usage error', async (wrong, message) => {
      const { code, err } = await sluice(wrong, { env: server.env });
      expect([code, server.asked]).toEqual([2, []]);
      expect(err).toContain(message);
    });
  });

  test('two ways to choose tasks at once are a usage error', async () => {
    const { code, err } = await sluice(['runs', 'rerun', '7', '--all', '--from', 'train'], { env: server.env });
    expect([code, server.asked]).toEqual([2, []]);
    expect(err).toContain("option '--all' cannot be used with option '--from <task>'");
  });

  test('why names the rule, the place in line, when it should begin and who holds it', async () => {
    const reason = {
      taskId: 'train',
      mapIndex: 1,
      rule: 'pool',
      text: 'Pool gpu has no free slot.',
      position: 2,
      holders: ['5/train'],
      startsAt: new Date(NOW.getTime() + 2 * 3_600_000).toISOString(),
    };
    server.on('GET /runs/7/why', { json: { items: [reason] } });
    const { out } = await sluice(['runs', 'why', '7'], { env: server.env });
    expect(out).toBe(
      'TASK      RULE  WHY                         POSITION  BEGINS    HELD BY\ntrain[1]  pool  Pool gpu has no free slot.         2  in 2h00m  5/train\n',
    );
  });
});
