import { execFile } from 'node:child_process';
import { chown, lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '#core';

const run = promisify(execFile);

/** How Postgres is started: it refuses to run as root, so root needs a way around. */
export interface PostgresAccount {
  readonly describe: string;
  /** Put before the program's own arguments; empty: start it directly. */
  readonly prefix: readonly string[];
  /** Numbers for `spawn`; null: those of this process. */
  readonly ids: { readonly uid: number; readonly gid: number } | null;
}

const ORDINARY: PostgresAccount = { describe: 'this user', prefix: [], ids: null };

/**
 * A user namespace of its own: inside it the process is nobody, outside its files belong to root. So it can use
 * folders whose parents an unprivileged user may not traverse (`/root/project`). Containers often forbid it.
 */
const NAMESPACE: PostgresAccount = {
  describe: 'root inside a user namespace (`unshare --user`)',
  prefix: ['unshare', '--user'],
  ids: null,
};

/**
 * Chooses how to start Postgres so that it can use `folder` (which exists) and execute `program` in
 * the environment `env`. As root the first
 * way that works is taken: a user namespace, the owner of an enclosing folder, the users `postgres` and `nobody`.
 * For the latter the whole folder is handed to that user. Throws `unavailable` when none works.
 */
export async function choosePostgresAccount(
  folder: string,
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return ORDINARY;
  const { uid: owner, gid: ownerGroup } = await lstat(folder);
  const candidates = [NAMESPACE, ...(await unprivilegedAccounts(folder))];
  // Data that exists stays with the account that made it, if that still works.
  candidates.sort((a, b) => Number(uidOf(b) === owner) - Number(uidOf(a) === owner));
  const failures: string[] = [];
  for (const account of candidates) {
    try {
      await handOver(folder, uidOf(account), account.ids?.gid ?? 0);
      await probe(account, folder, program, env);
      return account;
    } catch (error) {
      failures.push(`${account.describe}: ${firstLine(error)}`);
    }
  }
  await handOver(folder, owner, ownerGroup);
  throw new SluiceError('unavailable', `Postgres does not run as root, and no other way works in ${folder}.`, {
    hint: 'Start Sluice as an ordinary user, or in a folder that other users may traverse (chmod o+x on its parents), or allow user namespaces, or set DATABASE_URL.',
    details: { tried: failures },
  });
}

/** File and arguments that start `program` as this account; `ids` go into the options of spawn. */
export function asAccount(account: PostgresAccount, program: string, args: readonly string[]): [string, string[]] {
  const [wrapper, ...wrapperArgs] = account.prefix;
  return wrapper === undefined ? [program, [...args]] : [wrapper, [...wrapperArgs, program, ...args]];
}

function uidOf(account: PostgresAccount): number {
  return account.ids?.uid ?? 0;
}

async function unprivilegedAccounts(folder: string): Promise<PostgresAccount[]> {
  const accounts: PostgresAccount[] = [];
  for (let at = path.dirname(folder); at !== path.dirname(at); at = path.dirname(at)) {
    const { uid, gid } = await lstat(at);
    if (uid === 0) continue;
    accounts.push({ describe: `user ${uid}, the owner of ${at}`, prefix: [], ids: { uid, gid } });
    break;
  }
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of ['postgres', 'nobody']) {
    const fields = users
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':');
    if (fields === undefined) continue;
    accounts.push({ describe: `user ${name}`, prefix: [], ids: { uid: Number(fields[2]), gid: Number(fields[3]) } });
  }
  return accounts;
}

async function handOver(folder: string, uid: number, gid: number): Promise<void> {
  if ((await lstat(folder)).uid === uid) return;
  await run('chown', ['-R', '-h', '--', `${uid}:${gid}`, folder]).catch(() => chown(folder, uid, gid));
}

/** Fails unless this account can write the folder and execute the program. */
async function probe(
  account: PostgresAccount,
  folder: string,
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const script = 'test -w "$0" || { echo "cannot write $0" >&2; exit 1; }; exec "$1" --version';
  const command = asAccount(account, 'sh', ['-c', script, folder, program]);
  await run(...command, { cwd: '/', env, timeout: 10_000, ...account.ids });
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n')[0] ?? message;
}
