import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { anApi, withToken, type ApiUnderTest } from './api-under-test.ts';

const OUTCOME = { id: '1', environment: 'dev', name: 'file-arrived', key: 'k', repeated: false, runs: [] };

let api: ApiUnderTest;
beforeAll(async () => {
  api = await anApi({ receiveEvent: () => OUTCOME });
});
beforeEach(() => void (api.calls as unknown[]).splice(0));
afterAll(() => api.close());

const send = (body: string, headers: Record<string, string> = {}, path = '/api/v1/events/file-arrived?env=dev') =>
  api.ask(path, {
    method: 'POST',
    body,
    headers: { ...withToken, 'content-type': 'application/json', ...headers },
  });

test('an event is passed on as it came, byte for byte, with its key and proof', async () => {
  const body = '{ "file":  "a.csv" }';
  const answer = await send(body, { 'idempotency-key': 'k', 'sluice-signature': 's', 'sluice-timestamp': '1' });
  expect([answer.status, answer.json]).toEqual([202, OUTCOME]);
  expect(api.calls).toEqual([
    {
      name: 'receiveEvent',
      args: [
        {
          ...{ environment: 'dev', name: 'file-arrived', key: 'k', body, payload: { file: 'a.csv' } },
          proof: { signature: 's', timestamp: '1' },
          sender: null,
        },
        expect.any(String),
      ],
    },
  ]);
  await send('', { 'sluice-run': '17' });
  expect(api.calls[1]?.args[0]).toMatchObject({ key: null, payload: {}, body: '', sender: '17' });
});

test.each<[string, number, () => ReturnType<typeof send>]>([
  ['no JSON', 400, () => send('{')],
  ['nested deeper than anybody needs', 400, () => send(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
  ['nested 65 levels', 400, () => send(`${'['.repeat(66)}${']'.repeat(66)}`)],
  ['with a key that is a trap', 400, () => send('{ "__proto__": { "isAdmin": true } }')],
  ['with a NUL', 400, () => send('{ "a": "\\u0000" }')],
  ['larger than 1 MiB', 413, () => send(JSON.stringify('x'.repeat(1_100_000)))],
  ['of another type', 415, () => send('a=1', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['with a key that has blanks', 400, () => send('{}', { 'idempotency-key': 'a b' })],
  ['with a key that is too long', 400, () => send('{}', { 'idempotency-key': 'a'.repeat(201) })],
  ['of a run that is none', 400, () => send('{}', { 'sluice-run': 'x' })],
  ['with an odd name', 400, () => send('{}', {}, '/api/v1/events/..%2f?env=dev')],
  ['to no environment', 400, () => send('{}', {}, '/api/v1/events/go')],
  ['without a token', 401, () => send('{}', { authorization: 'Bearer nobody' })],
  ['without the right', 403, () => send('{}', api.as('reader', 'view:dev'))],
  ['with the right elsewhere', 403, () => send('{}', api.as('tester', 'operate:test'))],
])('an event %s is refused with %i', async (_, status, ask) => {
  expect((await ask()).status).toBe(status);
  expect(api.calls).toEqual([]);
});
