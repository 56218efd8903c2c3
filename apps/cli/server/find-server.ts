import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SluiceError } from '#core';

export interface ServerAddress {
  /** Origin without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Where that was found: a file, or `SLUICE_URL`. Never holds the token. */
  readonly source: string;
}

/**
 * The server this folder belongs to: `.sluice/server.json` here or in a folder above, else SLUICE_URL and SLUICE_TOKEN.
 * Throws `unavailable` with the remedy when there is neither, `invalid_config` when what was found cannot be used.
 */
export async function findServer(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  warn: (text: string) => void,
): Promise<ServerAddress> {
  const homes = foldersUpward(cwd).map((folder) => join(folder, '.sluice'));
  // A server that was told to live elsewhere wrote its file there.
  if (env.SLUICE_HOME) homes.unshift(resolve(cwd, env.SLUICE_HOME));
  for (const home of homes) {
    const address = await readServerJson(join(home, 'server.json'), warn);
    if (address === null) continue;
    // The same server, and a token of one's own: somebody who wants to be seen under that name, with those rights.
    if (env.SLUICE_URL && env.SLUICE_TOKEN && trimSlash(env.SLUICE_URL) === address.url)
      return fromEnvironment(env.SLUICE_URL, env.SLUICE_TOKEN);
    if (env.SLUICE_URL && trimSlash(env.SLUICE_URL) !== address.url)
      warn(`SLUICE_URL is not used, because ${address.source} names a server.`);
    return address;
  }
  if (env.SLUICE_URL) return fromEnvironment(env.SLUICE_URL, env.SLUICE_TOKEN);
  throw new SluiceError(
    'unavailable',
    `No server found: neither .sluice/server.json in ${cwd} or above it, nor SLUICE_URL.`,
    {
      hint: '`npm start` starts one; `sluice run --local` needs none; SLUICE_URL and SLUICE_TOKEN name one elsewhere.',
    },
  );
}

/** The folder and all above it, nearest first. */
export function foldersUpward(start: string): string[] {
  const above = dirname(start);
  return above === start ? [start] : [start, ...foldersUpward(above)];
}

async function readServerJson(file: string, warn: (text: string) => void): Promise<ServerAddress | null> {
  const info = await stat(file).catch(() => null);
  if (!info?.isFile()) return null;
  const user = process.getuid?.();
  // In a folder that everybody may write to, such as /tmp, somebody else could name a server of theirs.
  if (user !== undefined && user !== 0 && info.uid !== user && info.uid !== 0) {
    warn(`${file} is not used, because it belongs to another user.`);
    return null;
  }
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0)
    warn(`${file} holds a token and others may read it: chmod 600 it.`);
  const content = parseObject(await readFile(file, 'utf8'));
  const url = usableUrl(content?.url);
  if (url === null || typeof content?.token !== 'string')
    throw new SluiceError('invalid_config', `${file} does not name a server: url and token were expected.`, {
      hint: 'Remove it and start the server again; it writes a new one.',
    });
  return { url, token: content.token, source: file };
}

function fromEnvironment(value: string, token: string | undefined): ServerAddress {
  const url = usableUrl(value);
  if (url === null)
    throw new SluiceError('bad_request', `SLUICE_URL is "${value}", but an http or https URL was expected.`);
  if (!token)
    throw new SluiceError('unauthorized', 'SLUICE_URL is set, but SLUICE_TOKEN is not.', {
      hint: "Set SLUICE_TOKEN to that server's token; it is in .sluice/server.json on its machine.",
    });
  return { url, token, source: 'SLUICE_URL' };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // Half a file or none of ours: the caller says what was expected.
  }
}

function usableUrl(value: unknown): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  return /^https?:$/.test(new URL(value).protocol) ? trimSlash(value) : null;
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
