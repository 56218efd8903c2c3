import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ContractServer, eventStream } from '../fixture/contract-server.ts';
import { aRunDetail, aTaskRun, aTaskRunDetail } from '../fixture/records.ts';
import { sluice } from '../fixture/test-io.ts';
import { Interrupt } from '../io.ts';

const AT = Date.parse('2026-01-03T11:00:02.500Z');
const line = (n: number, text: string, stream: 'out' | 'err' | 'sys' = 'out') => ({ n, at: AT, stream, text });

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());

describe('logs RUN/TASK', () => {
  beforeEach(() => {
    const pages = [
      { lines: [line(1, 'one'), line(2, '\u001b[31mtwo\u001b[0m\u001b[2J')], nextLine: 3, complete: false },
      { lines: [{ ...line(3, 'Three'), rank: 1 }, line(4, 'ended', 'sys')], nextLine: 5, complete: true, total: 4 },
    ];
    server.on('GET /runs/7/tasks/ingest', { json: aTaskRunDetail({ tries: 2, lines: 4 }) });
    server.on('GET /runs/7/tasks/ingest/log', (asked) => ({
      json: asked.query.limit === '1' ? { ...pages[1], lines: [] } : pages[Number(asked.query.from) >= 3 ? 1 : 0],
    }));
  });

  test('prints page after page of the newest try, without escape codes in a pipe', async () => {
    const { code, out, err } = await sluice(['logs', '7/ingest'], { env: server.env });
    expect([code, out, err]).toEqual([0, 'one\ntwo\n[1] Three\nended\n', '']);
    expect(server.asked[1]?.query).toEqual({ map: '0', try: '2', from: '1', limit: '5000' });
  });

  test('a terminal keeps colours and nothing else', async () => {
    const { out } = await sluice(['logs', '7/ingest'], { env: server.env, tty: true });
    expect(out).toContain('\u001b[31mtwo\u001b[0m');
    expect(out).not.toContain('\u001b[2J');
  });

  test('#1 asks for the first try; a try that never was is exit 5', async () => {
    await sluice(['logs', '7/ingest#1'], { env: server.env });
    expect(server.asked[1]?.query.try).toBe('1');
    const { code, err } = await sluice(['logs', '7/ingest#9'], { env: server.env });
    expect([code, err]).toEqual([5, 'error: Task ingest of run 7 has no try 9; the newest is 2.\n']);
  });

  test('--grep ignores case, --timestamps shows the instant, --tail begins near the end', async () => {
    const options = ['--grep', 'THREE', '--timestamps', '--tail', '2'];
    const { out } = await sluice(['logs', '7/ingest', ...options], { env: server.env });
    expect(out).toBe('2026-01-03T11:00:02.500Z [1] Three\n');
    expect(server.asked.at(-1)?.query.from).toBe('3');
  });

  test('NDJSON says where each line comes from', async () => {
    const { out } = await sluice(['logs', '7/ingest', '-o', 'ndjson', '--grep', 'one'], { env: server.env });
    expect(JSON.parse(out)).toEqual({
      runId: '7',
      task: 'ingest',
      map: 0,
      try: 2,
      n: 1,
      at: '2026-01-03T11:00:02.500Z',
      stream: 'out',
      text: 'one',
    });
  });

  test('a reference that is none is a usage error', async () => {
    const { code, err } = await sluice(['logs', '7/Ingest#x'], { env: server.env });
    expect([code, server.asked]).toEqual([2, []]);
    expect(err).toContain('Expected RUN, RUN/TASK or RUN/TASK#TRY.');
  });
});

describe('logs of a task that is fanned out', () => {
  const siblings = [0, 1].map((mapIndex) => aTaskRun({ taskId: 'train', mapIndex, mapKey: `lr=${mapIndex}` }));

  test('asks which one, and names them', async () => {
    server.on('GET /runs/7/tasks/train', { json: aTaskRunDetail({ task: siblings[0], siblings }) });
    const { code, err } = await sluice(['logs', '7/train'], { env: server.env });
    expect(code).toBe(2);
    expect(err).toContain('hint: Choose one with --map: 0 (lr=0, success), 1 (lr=1, success).');
  });

  test('--map chooses', async () => {
    server.on('GET /runs/7/tasks/train', { json: aTaskRunDetail({ task: siblings[1], siblings }) });
    server.on('GET /runs/7/tasks/train/log', { json: { lines: [line(1, 'x')], nextLine: 2, complete: true } });
    expect((await sluice(['logs', '7/train', '--map', '1'], { env: server.env })).out).toBe('x\n');
    expect(server.asked[1]?.query.map).toBe('1');
  });
});

describe('logs -f', () => {
  test('goes on where it stopped when the connection is lost, without repeating a line', async () => {
    let connections = 0;
    server.on('GET /runs/7/tasks/ingest', { json: aTaskRunDetail() });
    server.on('GET /runs/7/tasks/ingest/log', { json: { lines: [line(1, 'one')], nextLine: 2, complete: false } });
    // The page repeats until it is empty: this server has nothing more than line 1 stored.
    server.on('GET /runs/7/tasks/ingest/log', (asked) => ({
      json: { lines: asked.query.from === '1' ? [line(1, 'one')] : [], nextLine: 2, complete: false },
    }));
    server.stream('GET /runs/7/tasks/ingest/log/tail', (response) => {
      connections += 1;
      const send = eventStream(response);
      if (connections === 1) {
        send('lines', [line(2, 'two')]);
        response.end();
      } else {
        send('lines', [line(2, 'two'), line(3, 'three')]);
        send('end', {});
      }
    });
    const { code, out } = await sluice(['logs', '7/ingest', '-f'], { env: server.env });
    expect([code, out]).toEqual([0, 'one\ntwo\nthree\n']);
    expect(server.asked.filter(({ path }) => path.endsWith('/tail')).map(({ query }) => query.from)).toEqual([
      '2',
      '3',
    ]);
  });

  test('Ctrl-C ends it with 130', async () => {
    const interrupt = new Interrupt();
    server.on('GET /runs/7/tasks/ingest', { json: aTaskRunDetail() });
    server.on('GET /runs/7/tasks/ingest/log', { json: { lines: [], nextLine: 1, complete: false } });
    server.stream('GET /runs/7/tasks/ingest/log/tail', (response) => eventStream(response)('lines', [line(1, 'one')]));
    const onOut = (): void => interrupt.fire();
    const { code, out } = await sluice(['logs', '7/ingest', '-f'], { env: server.env, interrupt, onOut });
    expect([code, out]).toEqual([130, 'one\n']);
  });
});

describe('logs RUN', () => {
  const rows = [
    aTaskRun({ taskId: 'features', startedAt: '2026-01-03T11:00:06.000Z' }),
    aTaskRun({ taskId: 'ingest', startedAt: '2026-01-03T11:00:01.000Z' }),
    aTaskRun({ taskId: 'score', tries: 0, startedAt: null, finishedAt: null, state: 'skipped' }),
  ];

  test('prints every task run that started, in the order they started', async () => {
    server.on('GET /runs/7', { json: aRunDetail({}, rows) });
    for (const task of ['ingest', 'features'])
      server.on(`GET /runs/7/tasks/${task}/log`, {
        json: { lines: [line(1, `of ${task}`)], nextLine: 2, complete: true },
      });
    const { out, err } = await sluice(['logs', '7'], { env: server.env });
    expect(out).toBe('of ingest\nof features\n');
    expect(err).toBe('==> ingest try 1, success\n==> features try 1, success\n');
  });

  test('-f follows all of them at once, each line behind its task', async () => {
    server.on('GET /runs/7', { json: aRunDetail({}, rows) });
    server.stream('GET /events', (response) => void eventStream(response));
    for (const task of ['ingest', 'features'])
      server.stream(`GET /runs/7/tasks/${task}/log/tail`, (response) => {
        const send = eventStream(response);
        send('lines', [line(1, `of ${task}`)]);
        send('end', {});
      });
    const { code, out } = await sluice(['logs', '7', '-f'], { env: server.env });
    expect(code).toBe(0);
    expect(out.trim().split('\n').sort()).toEqual(['features | of features', 'ingest | of ingest']);
  });
});
