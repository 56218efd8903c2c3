import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Repositories that must be refused, made through `git fast-import`. */
export interface HostileTree {
  readonly name: string;
  /** What is said when it is refused. */
  readonly refusal: RegExp;
  /** Writes a stream for `git fast-import` whose branch `main` is the hostile commit. */
  readonly write: (to: Writable, repository: string) => Promise<void>;
}

const HEAD = 'commit refs/heads/main\ncommitter Ada <ada@example.com> 1767225600 +0000\ndata 7\nhostile\n';
const SMALL = 'blob\nmark :1\ndata 8\nname: a\n\n';
const GIB = 1024 ** 3;

const files =
  (count: number, nameOf: (i: number) => string, mode = '100644') =>
  async (to: Writable) => {
    await put(to, SMALL + HEAD);
    for (let from = 0; from < count; from += 10_000) {
      const lines = Array.from(
        { length: Math.min(10_000, count - from) },
        (_, i) => `M ${mode} :1 dags/${nameOf(from + i)}\n`,
      );
      await put(to, lines.join(''));
    }
  };

export const HOSTILE_TREES: readonly HostileTree[] = [
  {
    name: '1,000,000 files in one folder',
    refusal: /dags holds more than 50000 files/,
    // fast-import takes hours for that many names beside each other.
    write: async (to, folder) => {
      const blob = await git(folder, ['hash-object', '-w', '--stdin'], (input) => put(input, 'name: a\n'));
      const names = async (input: Writable) => {
        for (let i = 1_000_000; i < 2_000_000; i++) await put(input, `100644 blob ${blob}\tf${i}.yaml\n`);
      };
      await put(to, `${HEAD}M 040000 ${await git(folder, ['mktree'], names)} dags\n`);
    },
  },
  {
    name: '1,000,000 files in 1,000 folders',
    refusal: /dags holds more than 50000 files/,
    write: files(1_000_000, (i) => `d${Math.floor(i / 1000)}/f${i}.yaml`),
  },
  {
    name: '1,000,000 symbolic links',
    refusal: /is a symbolic link \(and more\)/,
    write: files(1_000_000, (i) => `d${Math.floor(i / 1000)}/l${i}`, '120000'),
  },
  {
    name: 'a file of 5 GiB',
    refusal: /dags\/model\.bin has 5368709120 bytes; at most 67108864 fit/,
    write: async (to) => {
      await put(to, `blob\nmark :1\ndata ${5 * GIB}\n`);
      const zeros = Buffer.alloc(4 * 1024 * 1024);
      for (let sent = 0; sent < 5 * GIB; sent += zeros.length) await put(to, zeros);
      await put(to, `\n${HEAD}M 100644 :1 dags/model.bin\n`);
    },
  },
  {
    name: '10^12 folders without a file',
    refusal: /dags holds more than 200000 folders/,
    write: async (to, folder) => {
      let tree = await git(folder, ['mktree'], async () => undefined);
      for (let level = 0; level < 12; level++) {
        const below = Array.from({ length: 10 }, (_, i) => `040000 tree ${tree}\td${i}\n`).join('');
        tree = await git(folder, ['mktree'], (input) => put(input, below));
      }
      await put(to, `${HEAD}M 040000 ${tree} dags\n`);
    },
  },
];

/** Makes a bare repository of it. */
export async function makeHostile(folder: string, { write }: HostileTree): Promise<void> {
  await git(folder, ['init', '-q', '--bare', '-b', 'main', '.'], async () => undefined);
  const stream = ['-c', 'core.compression=1', 'fast-import', '--quiet'];
  await git(folder, stream, (input) => write(input, folder));
}

/** What git says. */
async function git(folder: string, args: readonly string[], write: (to: Writable) => Promise<void>): Promise<string> {
  const child = spawn('git', args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await write(child.stdin);
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}`);
  return said.trim();
}

async function put(to: Writable, data: string | Buffer): Promise<void> {
  if (!to.write(data)) await once(to, 'drain');
}
