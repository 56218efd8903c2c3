import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GitSettings } from '../git-settings.ts';
import { Secret } from '../secret.ts';
import { createCommitStatuses, type CommitStatus } from './commit-statuses.ts';

// A real server in the place of GitHub and GitLab.
let host: Server;
let asked: { method?: string; url?: string; headers: IncomingHttpHeaders; body: unknown }[] = [];
let answer = { status: 201, headers: {}, text: '{}' };
beforeAll(async () => {
  host = createServer((request, response) => {
    let text = '';
    request
      .on('data', (chunk) => (text += chunk))
      .on('end', () => {
        const { method, url, headers } = request;
        asked.push({
          ...(method ? { method } : {}),
          ...(url ? { url } : {}),
          headers,
          body: JSON.parse(text || 'null'),
        });
        response.writeHead(answer.status, answer.headers).end(answer.text);
      });
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => host.close(resolve)));
beforeEach(() => {
  asked = [];
  answer = { status: 201, headers: {}, text: '{}' };
});

const settings = (more: Partial<GitSettings> = {}): GitSettings => ({
  ...{ host: 'git.example.com', token: new Secret('user:s3cret'), kind: 'github', sshKeyFile: null },
  ...{ webhookSecret: null, apiUrl: `http://127.0.0.1:${(host.address() as AddressInfo).port}/api` },
  ...more,
});
const status: CommitStatus = {
  ...{ remote: 'https://git.example.com/team/my%20repo.git', commit: 'c'.repeat(40), state: 'failure' },
  ...{ context: 'sluice/dev', description: 'x'.repeat(500), url: 'https://sluice.example/?env=dev' },
};
const tell = (more: Partial<CommitStatus> = {}, kind: GitSettings['kind'] = 'github') =>
  createCommitStatuses(settings({ kind }))?.tell({ ...status, ...more });

test('GitHub is told as it wants to be, in a description that it takes', async () => {
  expect(await tell()).toBe(true);
  expect(asked).toMatchObject([
    {
      ...{ method: 'POST', url: `/api/repos/team/my%20repo/statuses/${status.commit}` },
      headers: { authorization: 'Bearer s3cret', 'user-agent': 'sluice' },
      body: { state: 'failure', context: 'sluice/dev', target_url: status.url, description: `${'x'.repeat(139)}…` },
    },
  ]);
});

test('GitLab is told as it wants to be; what it knows already is no failure', async () => {
  answer = { status: 400, headers: {}, text: '{"message":"Cannot transition status via :drop from :failed"}' };
  expect(await tell({ remote: 'git@git.example.com:group/sub/repo.git', url: null }, 'gitlab')).toBe(true);
  expect(asked).toMatchObject([
    {
      url: `/api/projects/group%2Fsub%2Frepo/statuses/${status.commit}`,
      headers: { 'private-token': 's3cret' },
      body: { state: 'failed', name: 'sluice/dev' },
    },
  ]);
});

test('nobody is told of folders and of other hosts, and without a token nobody at all', async () => {
  for (const remote of ['/srv/repo', 'https://other.example.com/team/repo.git', 'git@example.com:team/repo.git'])
    expect(await tell({ remote })).toBe(false);
  expect(asked).toEqual([]);
  expect(createCommitStatuses(settings({ token: null }))).toBeNull();
});

test('a refusal names the right that is missing; the token stands nowhere, and follows no redirect', async () => {
  answer = { status: 403, headers: {}, text: 'no' };
  const refused = await tell()?.catch((error: Error & { hint?: string }) => `${error.message} ${error.hint}`);
  expect(refused).toMatch(/^git\.example\.com did not take the status of c{12}: HTTP 403\. .*repo:status/);
  expect(refused).not.toContain('s3cret');
  answer = { status: 307, headers: { location: '/elsewhere' }, text: '' };
  await expect(tell()).rejects.toThrow();
  expect(asked.map(({ url }) => url)).not.toContain('/elsewhere');
});
