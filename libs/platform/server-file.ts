import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '#core';

const shape = z.object({
  /** Address of the API, without a slash at the end. */
  url: z.string(),
  token: z.string(),
  /** Process that serves it. */
  pid: z.number(),
  startedAt: z.string(),
});
/** How the CLI finds the running server and proves that it may talk to it. */
export type ServerFile = z.infer<typeof shape>;

/** Writes `<home>/server.json`, readable by its owner only; a reader sees the old content or the new one, never a part. */
export async function writeServerFile(home: string, content: ServerFile): Promise<void> {
  await writePrivately(join(home, 'server.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** The content of `<home>/server.json`; null when there is none. Says nothing about whether that process still lives. */
export async function readServerFile(home: string): Promise<ServerFile | null> {
  const file = join(home, 'server.json');
  const text = await readOrNull(file);
  if (text === null) return null;
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new SluiceError('invalid_config', `${file} is not a server file.`, {
      hint: 'Delete it and start the server again.',
      cause,
    });
  }
}

/** Removes `<home>/server.json` if it is this process's; another server's file stays. */
export async function removeServerFile(home: string, pid: number = process.pid): Promise<void> {
  const content = await readServerFile(home).catch(() => null);
  if (content?.pid === pid) await rm(join(home, 'server.json'), { force: true });
}

/** The token of this home: 32 random bytes, made at the first call, then the same for ever. Delete `<home>/token` to change it. */
export async function keepToken(home: string): Promise<string> {
  const file = join(home, 'token');
  const kept = (await readOrNull(file))?.trim();
  if (kept && /^[A-Za-z0-9_-]{43}$/.test(kept)) {
    await chmod(file, 0o600);
    return kept;
  }
  const token = randomBytes(32).toString('base64url');
  await writePrivately(file, `${token}\n`);
  return token;
}

async function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
