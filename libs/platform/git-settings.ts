import path from 'node:path';
import type { Secret } from './secret.ts';
import { secretVariable } from './secret-variable.ts';

/** What the server knows about the place where its repositories are kept. */
export interface GitSettings {
  /** SLUICE_GIT_HOST: `github.com`, `git.example.com:8443`; the token goes to no other host. */
  readonly host: string | null;
  /** SLUICE_GIT_TOKEN, or the content of the file SLUICE_GIT_TOKEN_FILE: for https remotes and commit statuses. */
  readonly token: Secret | null;
  /** SLUICE_GIT_KIND: whose API takes commit statuses; by the host's name unless set. */
  readonly kind: 'github' | 'gitlab';
  /** SLUICE_GIT_API_URL, without a slash at the end; null: derived from host and kind. */
  readonly apiUrl: string | null;
  /** SLUICE_GIT_SSH_KEY: absolute path of the private key for ssh remotes; null: the keys that ssh finds by itself. */
  readonly sshKeyFile: string | null;
  /** SLUICE_WEBHOOK_SECRET, or the content of the file SLUICE_WEBHOOK_SECRET_FILE: proves that a push hook is genuine. */
  readonly webhookSecret: Secret | null;
}

export const NO_GIT: GitSettings = {
  ...{ host: null, token: null, kind: 'github', apiUrl: null, sshKeyFile: null, webhookSecret: null },
};

/** The part of the configuration's reader that this needs. */
interface Reader {
  text(name: string): string | null;
  matching(name: string, pattern: RegExp, expected: string): string | null;
  oneOf<const T extends string>(name: string, choices: readonly T[]): T | null;
  url(name: string, protocols: readonly string[]): string | null;
  /** Notes that a variable does not fit; `shown` must not be a secret. */
  wrong(name: string, shown: string, expected: string): null;
}

export function readGitSettings(read: Reader): GitSettings {
  const host = read.matching(
    'SLUICE_GIT_HOST',
    /^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?$/,
    'the name of a host, such as github.com',
  );
  const token = secretVariable(read, 'SLUICE_GIT_TOKEN', 1);
  if (token !== null && host === null)
    read.wrong('SLUICE_GIT_HOST', 'not set', 'the host that SLUICE_GIT_TOKEN is for, such as github.com');
  const sshKeyFile = read.text('SLUICE_GIT_SSH_KEY');
  if (sshKeyFile !== null && !path.isAbsolute(sshKeyFile))
    read.wrong('SLUICE_GIT_SSH_KEY', JSON.stringify(sshKeyFile), 'the absolute path of a private key');
  return {
    host: host?.toLowerCase() ?? null,
    token,
    kind: read.oneOf('SLUICE_GIT_KIND', ['github', 'gitlab']) ?? (host?.includes('gitlab') ? 'gitlab' : 'github'),
    apiUrl: read.url('SLUICE_GIT_API_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? null,
    sshKeyFile,
    // Long enough that nobody guesses it: the address is open to everybody.
    webhookSecret: secretVariable(read, 'SLUICE_WEBHOOK_SECRET', 16),
  };
}
