import { pathToFileURL } from 'node:url';
import { SluiceError } from '#core';

/** A branch or tag of a git repository, as somebody wrote it. */
export interface RemoteRef {
  /** Absolute path of a folder, or `file://`, `https://`, `ssh://` URL, or `user@host:path`. Holds no secret. */
  readonly remote: string;
  /** Branch or tag, or a full name such as `refs/heads/main`. */
  readonly ref: string;
}

/** The one transport that git may use for a remote. */
export type Transport = 'file' | 'https' | 'ssh';

const REMOTE_HINT =
  'Use the path of a folder, or a file:, https: or ssh: URL, then # and a branch: https://host/team/repo.git#main.';
const CREDENTIALS_HINT =
  'Whoever may view the environment sees its remote. Give the server SLUICE_GIT_TOKEN (https) or SLUICE_GIT_SSH_KEY (ssh) instead.';
const MOST_CHARACTERS = 1000;

/** `REPO#REF`; without `#REF` it is the branch `main`. Throws `bad_request` saying what is expected. */
export function parseRemoteRef(text: string): RemoteRef {
  const at = text.lastIndexOf('#');
  const remote = at < 0 ? text : text.slice(0, at);
  const ref = at < 0 ? 'main' : text.slice(at + 1);
  transportOf(remote);
  return { remote, ref: checkRef(ref) };
}

/** Throws `bad_request` unless it is the name of a branch or tag, which git is given as it stands. */
export function checkRef(ref: string): string {
  const parts = ref.split('/');
  const fits =
    /^[A-Za-z0-9_][A-Za-z0-9_./+@=-]{0,199}$/.test(ref) &&
    !ref.includes('..') &&
    !ref.includes('@{') &&
    parts.every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.') && !part.endsWith('.lock'));
  if (fits) return ref;
  throw new SluiceError('bad_request', `${quote(ref)} is not the name of a branch or a tag.`, {
    hint: 'Write it behind #, as in /srv/git/pipelines.git#main.',
  });
}

/** By which transport git reaches a remote. Throws `bad_request` for any that could run a program, and for secrets in it. */
export function transportOf(remote: string): Transport {
  if (remote === '' || remote.length > MOST_CHARACTERS) throw refused(remote, 'is empty or too long', REMOTE_HINT);

  if (/[\u0000-\u0020\u007f]/.test(remote)) throw refused(remote, 'holds a blank or a control character', REMOTE_HINT);
  const [, helper] = /^([A-Za-z0-9+.-]+)::/.exec(remote) ?? [];
  if (helper !== undefined)
    throw refused(remote, `uses the transport ${helper}::, which runs a program of its own`, REMOTE_HINT);
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(remote) ?? [];
  if (scheme !== undefined) return transportOfUrl(remote, scheme.toLowerCase());
  if (remote.startsWith('file:')) throw refused(remote, 'is not a file URL', 'Write file:///absolute/folder.');
  if (remote.startsWith('/')) return 'file';
  if (/^[A-Za-z_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^:\s-][^\s]*$/.test(remote)) return 'ssh';
  throw refused(remote, 'is neither the absolute path of a folder nor a URL', REMOTE_HINT);
}

function transportOfUrl(remote: string, scheme: string): Transport {
  const url = URL.canParse(remote) ? new URL(remote) : null;
  if (url === null) throw refused(remote, 'is not a URL', REMOTE_HINT);
  if (url.password !== '' || (scheme === 'https' && url.username !== ''))
    // Not quoted: it may be what must not be shown.
    throw new SluiceError('bad_request', 'The URL of the remote holds a user or a password.', {
      hint: CREDENTIALS_HINT,
    });
  if (url.search !== '' || url.hash !== '') throw refused(remote, 'holds a ? or a second #', REMOTE_HINT);
  if (scheme === 'file') {
    if (url.host !== '') throw refused(remote, 'names a host', 'Write file:///absolute/folder, with three slashes.');
    return 'file';
  }
  if (!/^\[?[A-Za-z0-9][A-Za-z0-9.:-]*\]?$/.test(url.hostname)) throw refused(remote, 'names no host', REMOTE_HINT);
  if (scheme === 'https') return 'https';
  if (scheme === 'ssh') {
    if (/^-/.test(url.username)) throw refused(remote, 'names no user', REMOTE_HINT);
    return 'ssh';
  }
  throw refused(remote, `uses the transport ${scheme}://, which is not allowed`, REMOTE_HINT);
}

/** Host of a remote that has one, in lower case; null: a folder of this machine. For `https` with its port. */
export function hostOf(remote: string): string | null {
  switch (transportOf(remote)) {
    case 'file':
      return null;
    case 'https':
      return new URL(remote).host.toLowerCase();
    case 'ssh':
      return (
        /^ssh:\/\//i.test(remote) ? new URL(remote).hostname : (/@([^:]+):/.exec(remote)?.[1] ?? '')
      ).toLowerCase();
  }
}

/** `team/repo` of a remote at a git host, without `.git`; null for folders. */
export function projectOf(remote: string): string | null {
  if (hostOf(remote) === null) return null;
  const path = /^[a-z]+:\/\//i.test(remote)
    ? decodeURIComponent(new URL(remote).pathname)
    : remote.replace(/^[^:]*:/, '');
  return path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

/** A folder as git is told it: as a URL, so that no name of a folder can be anything else. */
export function asGitUrl(remote: string): string {
  return remote.startsWith('/') ? pathToFileURL(remote).href : remote;
}

function refused(remote: string, why: string, hint: string): SluiceError {
  return new SluiceError('bad_request', `The remote ${quote(remote)} ${why}.`, { hint });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
