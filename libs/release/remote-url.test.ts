import { describe, expect, test } from '@jest/globals';
import { asGitUrl, checkRef, hostOf, parseRemoteRef, projectOf, transportOf } from './remote-url.ts';

describe('a remote', () => {
  test.each([
    ['/srv/git/x.git#main', '/srv/git/x.git', 'main', 'file', null, null],
    ['/srv/with#hash#main', '/srv/with#hash', 'main', 'file', null, null],
    ['file:///srv/x', 'file:///srv/x', 'main', 'file', null, null],
    [
      'https://github.com/team/repo.git#release/1.x',
      'https://github.com/team/repo.git',
      'release/1.x',
      'https',
      'github.com',
      'team/repo',
    ],
    [
      'https://Git.Example.com:8443/a/b/c#v1',
      'https://Git.Example.com:8443/a/b/c',
      'v1',
      'https',
      'git.example.com:8443',
      'a/b/c',
    ],
    ['ssh://git@host:2222/team/repo#main', 'ssh://git@host:2222/team/repo', 'main', 'ssh', 'host', 'team/repo'],
    ['git@github.com:team/repo.git', 'git@github.com:team/repo.git', 'main', 'ssh', 'github.com', 'team/repo'],
  ] as const)('%s', (text, remote, ref, transport, host, project) => {
    expect(parseRemoteRef(text)).toEqual({ remote, ref });
    expect([transportOf(remote), hostOf(remote), projectOf(remote)]).toEqual([transport, host, project]);
  });

  test.each([
    ['ext::sh -c id', /holds a blank/],
    ['ext::sh', /transport ext::, which runs a program/],
    ['fd::17', /transport fd::/],
    ['http://host/x', /transport http:\/\/, which is not allowed/],
    ['git://host/x', /transport git:\/\//],
    ['ftp://host/x', /transport ftp:\/\//],
    ['ssh://-oProxyCommand=x/y', /names no host|is not a URL/],
    ['ssh://-u@host/y', /names no user/],
    ['-oProxyCommand=x@host:y', /neither/],
    ['git@-host:y', /neither/],
    ['--upload-pack=x', /neither/],
    ['relative/folder', /neither the absolute path/],
    ['file:relative', /not a file URL/],
    ['file://host/x', /names a host/],
    ['https://host/x?token=1', /holds a \?/],
    ['', /empty/],
    ['/a\nb', /control character/],
    [`/${'a'.repeat(1001)}`, /too long/],
  ])('%j is refused by name', (remote, message) => {
    expect(() => transportOf(remote)).toThrow(message);
  });

  test.each(['https://user:hunter2@host/x', 'https://hunter2@host/x', 'ssh://git:hunter2@host/x'])(
    '%s is refused without being repeated, with the way that works',
    (remote) => {
      const refused = (() => {
        try {
          transportOf(remote);
        } catch (error) {
          return error as Error & { hint: string };
        }
        return null;
      })();
      expect(refused?.message).toContain('holds a user or a password');
      expect(`${refused?.message} ${refused?.hint}`).not.toContain('hunter2');
      expect(refused?.hint).toContain('SLUICE_GIT_TOKEN');
    },
  );

  test('a ref is a plain name', () => {
    for (const ref of ['main', 'feature/x-1', 'v1.2.3', 'refs/heads/main', 'dependabot/npm@2'])
      expect(checkRef(ref)).toBe(ref);
    for (const ref of [
      '',
      '-x',
      '..',
      'a..b',
      'a/',
      '/a',
      'a//b',
      '.a',
      'a.lock',
      'a b',
      'a*',
      'a?',
      'a[1]',
      'a@{1}',
      'a:b',
      'a^',
      'a~1',
      'ä',
    ])
      expect(() => checkRef(ref)).toThrow(/not the name of a branch/);
  });

  test('a folder is told to git as a URL', () => {
    expect(asGitUrl('/srv/a b::c')).toBe('file:///srv/a%20b::c');
  });
});
