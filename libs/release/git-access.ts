import type { GitStart } from './git.ts';
import { gitStart } from './git.ts';
import { hostOf, transportOf } from './remote-url.ts';

/** With what git may introduce itself. Nothing else is used: no agent, no credential helper, no configuration of a user. */
export interface GitAccess {
  /** For `https` remotes of exactly this host (with its port, if that is not 443): a token, or `user:token`. */
  readonly token: { readonly host: string; readonly value: string } | null;
  /** Absolute path of a private key for `ssh` remotes; null: the keys that ssh finds by itself. */
  readonly sshKeyFile: string | null;
  /** Where git and ssh are looked for, in the form of PATH. Default: the usual places. */
  readonly searchPath?: string;
}

/**
 * How to start git for one remote: as for reading a commit, and with the one transport of the remote allowed. A token goes
 * through the environment, where other users of the machine do not see it, and only to its own host.
 */
export function remoteGit(folder: string, remote: string, access: GitAccess, globalConfig: string): GitStart {
  const start = gitStart(folder, access.searchPath);
  const transport = transportOf(remote);
  const settings: (readonly [string, string])[] = [
    // A redirect could carry the token to somebody else.
    ['http.followRedirects', 'false'],
    ['credential.helper', ''],
    ['core.askPass', ''],
    ['gc.autoDetach', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['submodule.recurse', 'false'],
  ];
  if (transport === 'https' && access.token !== null && hostOf(remote) === access.token.host.toLowerCase())
    settings.push([
      `http.https://${access.token.host}/.extraHeader`,
      `Authorization: Basic ${basic(access.token.value)}`,
    ]);
  return {
    ...start,
    env: {
      ...start.env,
      GIT_ALLOW_PROTOCOL: transport,
      // Read by the git at the other end of a folder too, which sees no other setting of ours.
      GIT_CONFIG_GLOBAL: globalConfig,
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ]),
      ),
      ...(transport === 'ssh' ? { GIT_SSH_COMMAND: sshCommand(access.sshKeyFile), GIT_SSH_VARIANT: 'ssh' } : {}),
    },
  };
}

/** GitHub and GitLab take a personal token with any user. */
function basic(token: string): string {
  return Buffer.from(token.includes(':') ? token : `x-access-token:${token}`).toString('base64');
}

/** Never asks, never takes an unknown host for the right one, never uses an agent or a user's ssh configuration. */
function sshCommand(keyFile: string | null): string {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'IdentityAgent=none', 'ConnectTimeout=10'];
  const key = keyFile === null ? [] : ['-i', `'${keyFile.replaceAll("'", `'\\''`)}'`, '-o', 'IdentitiesOnly=yes'];
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option]), ...key].join(' ');
}
