import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { request, type IncomingMessage } from 'node:http';
import { NEVER, of } from 'rxjs';
import { SluiceError } from '#core';
import type { LiveEvent } from '#contracts';
import { anApi, withToken, type ApiUnderTest } from './api-under-test.ts';
import { heartbeat, whileCredentialsHold } from './streams.ts';

let api: ApiUnderTest;
afterEach(async () => {
  jest.useRealTimers();
  await api?.close();
});

const runEvent = (runId: string): LiveEvent => ({
  kind: 'run',
  environment: 'dev',
  pipeline: 'p',
  runId,
  state: 'running',
});

/** An open stream; `until` resolves with everything received once it contains the text, `ended` when the server ends it. */
async function open(path: string, headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port: api.port, path, agent: false, headers: { ...withToken, ...headers } }, resolve)
      .on('error', reject)
      .end();
  });
  let received = '';
  let look = () => undefined as void;
  response.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
    look();
  });
  response.on('error', () => undefined);
  return {
    response,
    received: () => received,
    until: (text: string) =>
      new Promise<string>((resolve) => {
        look = () => void (received.includes(text) && resolve(received));
        look();
      }),
    ended: new Promise<void>((resolve) => response.on('close', () => resolve())),
  };
}
const listening = async () => {
  while (api.listeners.size === 0) await new Promise((resolve) => setImmediate(resolve));
  return [...api.listeners][0];
};

describe('live events', () => {
  test('each has its id, a reset its name; topics and Last-Event-ID reach the source', async () => {
    api = await anApi();
    const stream = await open('/api/v1/events?topics=env:dev,run:17', { 'last-event-id': '5-6' });
    expect(stream.response.headers['content-type']).toBe('text/event-stream');
    expect(stream.response.headers['x-content-type-options']).toBe('nosniff');
    const listener = await listening();
    expect(api.calls).toEqual([{ name: 'subscribe', args: [['env:dev', 'run:17'], '5-6'] }]);
    listener?.event('7-8', runEvent('17'));
    listener?.reset('9-9');
    const text = await stream.until('9-9\ndata: {}\n\n');
    expect(text).toContain(`id: 7-8\ndata: ${JSON.stringify(runEvent('17'))}\n\n`);
    expect(text).toContain('event: reset\nid: 9-9\ndata: {}\n\n');
  });

  test('a client that goes away is forgotten', async () => {
    api = await anApi();
    const stream = await open('/api/v1/events?topics=env:dev');
    await listening();
    stream.response.destroy();
    while (api.listeners.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a client that does not read is dropped instead of filling the memory', async () => {
    api = await anApi();
    const stream = await open('/api/v1/events?topics=env:dev');
    stream.response.pause();
    const listener = await listening();
    for (let sent = 0; sent < 200_000 && api.listeners.size > 0; sent += 1) {
      listener?.event(`1-${sent}`, runEvent('1'.repeat(100)));
      if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(api.listeners.size).toBe(0);
    stream.response.destroy();
  });

  test('wrong topics are refused before a stream begins', async () => {
    api = await anApi();
    for (const topics of ['', 'env:', 'all', 'run:x', `run:1${',run:1'.repeat(60)}`])
      expect((await api.ask(`/api/v1/events?topics=${topics}`)).status).toBe(400);
    expect((await api.ask('/api/v1/events')).status).toBe(400);
    expect(api.listeners.size).toBe(0);
  });

  test('closing the server ends the streams at once', async () => {
    api = await anApi();
    const stream = await open('/api/v1/events?topics=env:dev');
    await listening();
    await api.close();
    await stream.ended;
    expect(api.listeners.size).toBe(0);
  });
});

describe('the tail of a log', () => {
  test('tells lines as they come and says when the log is complete', async () => {
    const line = { n: 1, at: 5, stream: 'out', text: 'hello\nworld' };
    api = await anApi({
      followLog: (async (_key: unknown, _from: number, onLines: (lines: unknown[]) => void) =>
        onLines([line])) as never,
    });
    const stream = await open('/api/v1/runs/7/tasks/train/log/tail?map=2&try=3&from=4');
    const text = await stream.until('event: end');
    expect(text).toContain(`event: lines\nid: 1\ndata: ${JSON.stringify([line])}\n\n`);
    await stream.ended;
    expect(api.calls[0]?.args.slice(0, 2)).toEqual([{ runId: '7', taskId: 'train', mapIndex: 2, number: 3 }, 4]);
  });

  test('a client that lost the connection goes on behind the last line that it was told', async () => {
    const line = { n: 70, at: 5, stream: 'out', text: 'on' };
    api = await anApi({
      followLog: (async (_key: unknown, _from: number, onLines: (lines: unknown[]) => void) =>
        onLines([line])) as never,
    });
    const tail = (last: string) => open('/api/v1/runs/7/tasks/train/log/tail?from=4', { 'last-event-id': last });
    expect(await (await tail('69')).until('event: end')).toContain('id: 70\n');
    for (const nonsense of ['2', 'x', '1e99', '']) await (await tail(nonsense)).ended;
    expect(api.calls.map(({ args }) => args[1])).toEqual([70, 4, 4, 4, 4]);
  });

  test('a client that goes away stops the reading', async () => {
    const stopped = new Promise<void>((resolve) => {
      const followLog = (_key: unknown, _from: number, _onLines: unknown, signal: AbortSignal) =>
        new Promise<void>((end) => {
          signal.addEventListener('abort', () => {
            resolve();
            end();
          });
        });
      void anApi({ followLog: followLog as never }).then(async (created) => {
        api = created;
        (await open('/api/v1/runs/7/tasks/t/log/tail')).response.destroy();
      });
    });
    await stopped;
  });

  test('a log that does not exist is an ordinary 404', async () => {
    api = await anApi({
      followLog: () => {
        throw new SluiceError('not_found', 'no such run');
      },
    });
    const answer = await api.ask('/api/v1/runs/7/tasks/t/log/tail');
    expect([answer.status, answer.json]).toEqual([404, { error: { code: 'not_found', message: 'no such run' } }]);
  });
});

describe('heartbeat', () => {
  test('a quiet stream says something every fifteen seconds', () => {
    jest.useFakeTimers();
    const told: unknown[] = [];
    const subscription = heartbeat(NEVER).subscribe((message) => told.push(message));
    jest.advanceTimersByTime(31_000);
    subscription.unsubscribe();
    jest.advanceTimersByTime(60_000);
    expect(told).toEqual([{ comment: 'still here' }, { comment: 'still here' }]);
  });

  test('it ends with its source', () => {
    jest.useFakeTimers();
    let complete = false;
    heartbeat(of({ data: 'x' })).subscribe({ complete: () => (complete = true) });
    expect([complete, jest.getTimerCount()]).toEqual([true, 0]);
  });
});

describe('a stream that was opened with a named token', () => {
  test('ends within five seconds after the token was revoked', async () => {
    api = await anApi();
    const { as, revoke } = api;
    const stream = await open('/api/v1/events?topics=env:dev', as('anna', 'view:dev'));
    await listening();
    revoke('anna');
    const since = Date.now();
    await stream.ended;
    expect(Date.now() - since).toBeLessThan(6_000);
    expect(api.listeners.size).toBe(0);
  });

  test('goes on while the token holds, and while nobody can say', async () => {
    jest.useFakeTimers();
    const answers = [{} as never, new Error('no database'), {} as never, null];
    const identify = async () => {
      const answer = answers.shift() ?? null;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    let complete = false;
    whileCredentialsHold(NEVER, { identify }, { headers: {} }).subscribe({ complete: () => (complete = true) });
    await jest.advanceTimersByTimeAsync(19_000);
    expect(complete).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([complete, jest.getTimerCount()]).toEqual([true, 0]);
  });
});
