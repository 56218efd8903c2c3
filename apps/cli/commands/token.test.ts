import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ContractServer } from '../fixture/contract-server.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());

const SECRET = `sluice_${'s'.repeat(43)}`;
const JENKINS = {
  name: 'jenkins',
  groups: ['ci'],
  rights: [
    { right: 'promote', environment: 'test' },
    { right: 'view', environment: '*' },
  ],
  createdBy: 'the API token',
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-04-01T00:00:00.000Z',
  lastUsedAt: null,
};
const run = (line: string) => sluice(line.split(' '), { env: server.env });

describe('token', () => {
  test('create prints the token alone on stdout, everything else on stderr', async () => {
    server.on('POST /tokens', { status: 201, json: { ...JENKINS, token: SECRET } });
    const ran = await run('token create jenkins --right promote:test --right view:* --group ci --expires 90d');
    expect([ran.code, ran.out]).toEqual([0, `${SECRET}\n`]);
    expect(ran.err).toContain('Token "jenkins" may promote:test view:*.');
    expect(ran.err).not.toContain(SECRET);
    expect(server.asked.at(-1)?.body).toEqual({
      name: 'jenkins',
      groups: ['ci'],
      rights: JENKINS.rights,
      expiresInMs: 90 * 86_400_000,
    });
  });

  test('create as JSON is one document', async () => {
    server.on('POST /tokens', { status: 201, json: { ...JENKINS, token: SECRET } });
    const { out } = await run('token create jenkins --right view:* -o json -q');
    expect(JSON.parse(out)).toEqual({ ...JENKINS, token: SECRET });
  });

  test.each(['promote', 'promote:', 'deploy:test', ':test'])(
    'a right written %s is refused before it is sent',
    async (right) => {
      const { code, err } = await run(`token create x --right ${right}`);
      expect([code, server.asked.length]).toEqual([2, 0]);
      expect(err).toContain('xpected');
    },
  );

  test('create without a right is refused', async () => {
    expect((await run('token create x')).code).toBe(2);
  });

  test('list shows everything but the token', async () => {
    server.on('GET /tokens', { json: { items: [JENKINS] } });
    expect((await run('token list')).out).toBe(
      [
        'NAME     RIGHTS               GROUPS  EXPIRES               LAST USED',
        'jenkins  promote:test view:*  ci      2026-04-01T00:00:00Z  -',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('token list --json')).out)).toEqual([JENKINS]);
  });

  test('revoke ends it; one that is not there is exit 5', async () => {
    server.on('DELETE /tokens/jenkins', { status: 200, json: {} });
    expect(await run('token revoke jenkins')).toMatchObject({ code: 0, out: '' });
    server.on('DELETE /tokens/x', { status: 404, json: { error: { code: 'not_found', message: 'no' } } });
    expect((await run('token revoke x')).code).toBe(5);
  });

  test('a token without the right ends with exit 4 and says what it lacks', async () => {
    const error = { code: 'forbidden', message: 'jenkins has no right to admin in all environments.', hint: 'h' };
    server.on('GET /tokens', { status: 403, json: { error } });
    const { code, err } = await run('token list');
    expect([code, err]).toEqual([4, `error: ${error.message}\nhint: h\n`]);
  });
});

test('whoami says name, groups and rights', async () => {
  const { name, groups, rights } = JENKINS;
  server.on('GET /whoami', { json: { name, groups, rights } });
  expect((await run('whoami')).out).toContain('rights  promote:test view:*\n');
  expect(JSON.parse((await run('whoami --json')).out)).toEqual({ name, groups, rights });
});

describe('audit', () => {
  const record = {
    seq: 7,
    at: '2026-01-01T00:00:00.000Z',
    actor: 'jenkins',
    action: 'pointer.move',
    environment: 'dev',
    subject: 'r2',
    detail: { from: 'r1', to: 'r2', commit: null },
    previous: 'p',
    hash: 'h',
  };

  test('lists records of one environment or of all', async () => {
    server.on('GET /audit', { json: { items: [record], next: null } });
    expect((await run('audit --env dev')).out).toBe(
      [
        'SEQ  AT                    ACTOR    ACTION        ENVIRONMENT  SUBJECT  DETAIL',
        '  7  2026-01-01T00:00:00Z  jenkins  pointer.move  dev          r2       from=r1 to=r2',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('audit --json')).out)).toEqual([record]);
    expect(server.asked.map(({ query }) => query.env)).toEqual(['dev', undefined]);
  });

  test('--verify of a whole trail is exit 0, of a broken one exit 7 with the first broken record', async () => {
    server.on('GET /audit/verify', { json: { whole: true, records: 12, hash: 'abc' } });
    expect(await run('audit --verify')).toMatchObject({ code: 0, out: expect.stringContaining('records  12') });
    const broken = { whole: false, seq: 5, reason: 'Record 5 is missing.' };
    server.on('GET /audit/verify', { json: broken });
    const { code, out, err } = await run('audit --verify --json');
    expect([code, JSON.parse(out)]).toEqual([7, broken]);
    expect(err).toContain('broken at record 5');
  });
});
