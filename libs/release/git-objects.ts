import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { SluiceError } from '#core';
import type { GitStart } from './git.ts';

/** A record longer than this holds a name that nothing can use. */
const MAX_RECORD = 64 * 1024;
const MAX_STDERR = 2_000;
const LISTING_MS = 60_000;
const CONTENTS_MS = 600_000;

/**
 * Records of git's `-z` output, as many at a time as arrive. Who stops early ends git: nothing is read that is not asked
 * for. Throws `unavailable` without git, `conflict` when git fails on the way.
 */
export async function* gitRecords(git: GitStart, args: readonly string[]): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of gitOutput(git, args, '', LISTING_MS)) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const records: Buffer[] = [];
    let from = 0;
    for (let end = data.indexOf(0); end >= 0; end = data.indexOf(0, from)) {
      records.push(data.subarray(from, end));
      from = end + 1;
    }
    rest = data.subarray(from);
    if (rest.length > MAX_RECORD)
      throw new SluiceError('bad_request', `A path in ${git.cwd} is longer than ${MAX_RECORD} bytes.`, {
        hint: 'Remove it from the commit.',
      });
    if (records.length > 0) yield records;
  }
}

export interface WantedObject {
  readonly id: string;
  readonly bytes: number;
}

/**
 * Contents of blobs, in the order asked for, through one git process; one content is in memory at a time. Each is shown
 * to be what its id says. Throws `conflict` for one that is missing or damaged.
 */
export async function* readBlobs(git: GitStart, wanted: readonly WantedObject[]): AsyncGenerator<Buffer> {
  if (wanted.length === 0) return;
  const ids = wanted.map(({ id }) => `${id}\n`).join('');
  const reader = new ByteReader(gitOutput(git, ['cat-file', '--batch', '--buffer'], ids, CONTENTS_MS));
  try {
    for (const { id, bytes } of wanted) {
      const header = await reader.line();
      if (header !== `${id} blob ${bytes}`) throw damaged(git, id, header);
      const content = await reader.take(bytes);
      await reader.take(1);
      const hash = createHash(id.length === 64 ? 'sha256' : 'sha1')
        .update(`blob ${bytes}\0`)
        .update(content);
      if (hash.digest('hex') !== id) throw damaged(git, id, 'its content has another hash');
      yield content;
    }
  } finally {
    await reader.close();
  }
}

function damaged(git: GitStart, id: string, what: string): SluiceError {
  return new SluiceError(
    'conflict',
    `Object ${id} of ${git.cwd} cannot be read: ${what.slice(0, 200) || 'git ended'}.`,
    {
      hint: 'Run `git fsck`; a partial clone must be fetched whole (`git fetch --refetch --filter=blob:limit=1g`).',
    },
  );
}

/** Takes lines and counted bytes from a stream of chunks. */
class ByteReader {
  readonly #chunks: AsyncGenerator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncGenerator<Buffer>) {
    this.#chunks = chunks;
  }

  /** Without its line break; what there is when the stream ends. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0 || this.#rest.length > 1000) {
        const line = this.#rest.toString('utf8', 0, end < 0 ? 1000 : end);
        this.#rest = this.#rest.subarray(end < 0 ? 1000 : end + 1);
        return line;
      }
      const { value, done } = await this.#chunks.next();
      if (done) return this.#rest.toString('utf8');
      this.#rest = Buffer.concat([this.#rest, value]);
    }
  }

  /** Exactly so many bytes, fewer when the stream ends. */
  async take(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = bytes; ;) {
      const part = this.#rest.subarray(0, missing);
      parts.push(part);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      if (missing === 0) return parts.length === 1 ? part : Buffer.concat(parts);
      const { value, done } = await this.#chunks.next();
      if (done) return Buffer.concat(parts);
      this.#rest = value;
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
  }
}

/** What git writes, with back pressure; ends git when the caller stops or the time is up. */
async function* gitOutput(
  git: GitStart,
  args: readonly string[],
  input: string,
  timeoutMs: number,
): AsyncGenerator<Buffer> {
  const child = spawn('git', [...git.args, ...args], { cwd: git.cwd, env: { ...git.env }, stdio: 'pipe' });
  const ended = new Promise<number | null | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  // Git may end before it has read all: its own message says more than a broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MAX_STDERR) said += text;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    for await (const chunk of child.stdout as Readable) yield chunk as Buffer;
    const code = await ended;
    if (code instanceof Error) throw noGit(git, code);
    if (late) throw new SluiceError('timeout', `git took longer than ${timeoutMs / 1000} s in ${git.cwd}.`);
    if (code !== 0) throw gitFailed(git, said);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

export function noGit(git: GitStart, cause: Error): SluiceError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return new SluiceError('unavailable', `git cannot be started: ${cause.message}.`, { cause });
  return new SluiceError(
    'unavailable',
    `The program git is not in ${git.env.PATH}, or there is no folder ${git.cwd}.`,
    {
      hint: 'Install git, or name the folder of a repository.',
      cause,
    },
  );
}

export function gitFailed(git: GitStart, said: string): SluiceError {
  const why = said.split('\n').find((line) => line.trim() !== '') ?? 'it gave no reason';
  return new SluiceError('conflict', `git failed in ${git.cwd}: ${why.replace(/^fatal: /, '').slice(0, 300)}`, {
    hint: 'Run `git fsck` there.',
  });
}
