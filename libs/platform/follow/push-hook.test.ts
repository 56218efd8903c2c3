import { describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { Secret } from '../secret.ts';
import { isMeant, readPush } from './push-hook.ts';
import { checkWebhook } from './webhook.ts';

const github = (ref: string, project = 'Team/Repo') => JSON.stringify({ ref, repository: { full_name: project } });

describe('a push hook', () => {
  test('of GitHub, GitLab and others says which branch of which project', () => {
    expect(readPush(github('refs/heads/main'))).toEqual({ ref: 'refs/heads/main', project: 'Team/Repo' });
    const gitlab = {
      ref: 'refs/tags/v1',
      project: { path_with_namespace: 'group/sub/repo' },
      repository: { name: 'x' },
    };
    expect(readPush(JSON.stringify(gitlab))).toEqual({ ref: 'refs/tags/v1', project: 'group/sub/repo' });
    expect(readPush('{"ref":"refs/heads/main"}')).toEqual({ ref: 'refs/heads/main', project: null });
  });

  test('that tells of something else is none; what is no JSON is refused', () => {
    for (const body of ['{"zen":"Keep it simple."}', '[]', 'null', '7', '{"ref":7}', '{"ref":"x","project":[]}'])
      expect(readPush(body)).toBeNull();
    for (const body of ['', '{', 'payload=%7B%7D']) expect(() => readPush(body)).toThrow('not JSON');
  });

  test.each([
    ['refs/heads/main', 'https://git.example.com/team/repo.git', 'main', true],
    ['refs/heads/main', 'ssh://git@inside.example:2222/git/team/repo.git', 'refs/heads/main', true],
    ['refs/heads/main', '/srv/mirrors/repo.git', 'main', true],
    ['refs/tags/main', 'git@git.example.com:Team/Repo', 'main', true],
    ['refs/heads/main', 'https://git.example.com/other-team/repo.git', 'main', false],
    ['refs/heads/main', 'https://git.example.com/team/repo-2', 'main', false],
    ['refs/heads/mainline', 'https://git.example.com/team/repo.git', 'main', false],
    ['main', 'https://git.example.com/team/repo.git', 'refs/heads/main', false],
  ])('%s of Team/Repo is meant for %s#%s: %s', (pushed, remote, ref, meant) => {
    expect(isMeant({ ref: pushed, project: 'Team/Repo' }, { remote, ref })).toBe(meant);
  });
});

describe('its proof', () => {
  const secret = new Secret('secret-of-the-webhook');
  const body = github('refs/heads/main');
  const signed = (text: string, by = secret) =>
    `sha256=${createHmac('sha256', by.reveal()).update(text).digest('hex')}`;
  const check = (signature?: string, token?: string, by: Secret | null = secret) =>
    checkWebhook(body, { signature, token }, by);

  test('is GitHub’s signature of the very bytes, or GitLab’s token', () => {
    expect(() => check(signed(body))).not.toThrow();
    expect(() => check(undefined, secret.reveal())).not.toThrow();
  });

  test.each([
    ['none', undefined, undefined],
    ['of another body', signed(`${body} `), undefined],
    ['by another secret', signed(body, new Secret('another-secret-123')), undefined],
    ['of another form', signed(body).toUpperCase(), undefined],
    ['cut', signed(body).slice(0, -1), undefined],
    ['a wrong token', undefined, 'secret-of-the-webhooK'],
    ['a wrong signature beside the token', 'sha256=', secret.reveal()],
  ])('%s: refused', (_what, signature, token) => {
    expect(() => check(signature, token)).toThrow(expect.objectContaining({ code: 'unauthorized' }));
  });

  test('a server without a secret takes none', () => {
    expect(() => check(signed(body), 'x', null)).toThrow(/no secret/);
  });
});
