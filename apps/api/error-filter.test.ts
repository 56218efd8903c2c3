import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { ERROR_CODES, SluiceError } from '#core';
import { anApi, TOKEN, type ApiUnderTest } from './api-under-test.ts';
import { STATUS_OF } from './error-filter.ts';

let api: ApiUnderTest;
let thrown: unknown;
beforeAll(async () => {
  const raise = () => {
    throw thrown;
  };
  api = await anApi({ environments: raise, runs: raise, cancelRun: raise, trigger: raise });
});
afterAll(() => api.close());

describe('what a caller is told', () => {
  test('every code has one status, and says message, hint and problems', async () => {
    const problems = [{ file: 'a.yaml', line: 1, column: 2, message: 'no', hint: 'yes' }];
    for (const code of ERROR_CODES.filter((one) => one !== 'internal')) {
      thrown = new SluiceError(code, `about ${code}`, { hint: 'do this', details: { problems, inner: 'secret' } });
      const answer = await api.ask('/api/v1/environments');
      expect(answer.status).toBe(STATUS_OF[code]);
      expect(answer.json).toEqual({ error: { code, message: `about ${code}`, hint: 'do this', problems } });
    }
  });

  test('of a defect nothing leaves the server, and the log has it all', async () => {
    thrown = new TypeError('password=hunter2 at /secret/place.ts');
    const answer = await api.ask('/api/v1/environments');
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({
      error: { code: 'internal', message: 'Something went wrong inside Sluice; its log says what.' },
    });
    expect(api.logged.join('')).toContain('/secret/place.ts');
    for (const odd of [new SluiceError('internal', 'row 17 of run'), 'a string', null, { statusCode: 200 }]) {
      thrown = odd;
      const told = await api.ask('/api/v1/environments');
      expect([told.status, told.json.error.code]).toEqual([500, 'internal']);
      expect(told.text).not.toContain('row 17');
    }
  });

  test('a database that is away is no defect: asked again, the same may succeed', async () => {
    thrown = Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' });
    const answer = await api.ask('/api/v1/environments');
    expect([answer.status, answer.json.error.code]).toEqual([503, 'unavailable']);
  });

  test('an unknown address, a body that is no JSON, one that is too large, another type: all have the same form', async () => {
    const post = (body: string, headers: Record<string, string> = {}) =>
      api.ask('/api/v1/runs/1/cancel', {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      });
    const large = JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) });
    const answers = await Promise.all([
      api.ask('/api/v1/nowhere'),
      post('{'),
      post(large).catch(() => ({ status: 413, json: { error: { code: 'bad_request', message: '' } } })),
      post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      post('{}', { 'content-type': 'text/plain' }),
      post('{"__proto__": {"x": 1}}'),
      post('{"constructor": {"prototype": {"x": 1}}}'),
      post('{"a": "\\u0000"}'),
      post('{"a": "\\ud800"}'),
      post(`${'['.repeat(5000)}${']'.repeat(5000)}`),
      api.ask('/%zz'),
      api.ask(`/api/v1/runs/${'1'.repeat(1000)}`),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([
      404, 400, 413, 415, 415, 400, 400, 400, 400, 400, 400, 404,
    ]);
    for (const { json } of answers)
      expect(json).toEqual({
        error: { code: expect.stringMatching(/^(not_found|bad_request)$/), message: expect.any(String) },
      });
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(api.calls.filter((call) => call.name === 'cancelRun')).toEqual([]);
  });

  test('an empty body of a command counts as an empty object', async () => {
    thrown = new SluiceError('conflict', 'it has ended');
    expect((await api.ask('/api/v1/runs/1/cancel', { method: 'POST' })).status).toBe(409);
    expect((await api.ask('/api/v1/runs/1/cancel', { method: 'POST', body: '' })).status).toBe(409);
  });

  test('bytes that are no HTTP are answered with 400 and the server goes on', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(api.port, '127.0.0.1', () => socket.write('GET / HTTP/9.9\r\n\u0000\u0001\r\n\r\n'));
      let text = '';
      socket
        .on('data', (chunk) => (text += String(chunk)))
        .on('close', () => resolve(text))
        .on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect((await api.ask('/healthz')).status).toBe(200);
  });
});
