import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { SluiceError } from '#core';

/**
 * A free port on 127.0.0.1: the fixed one, else the one kept in `file`, else any; the choice is kept in `file`.
 * Throws `conflict` when a fixed port is taken.
 */
export async function choosePort(file: string, fixed: number | undefined): Promise<number> {
  if (fixed !== undefined) {
    if ((await tryPort(fixed)) === null)
      throw new SluiceError('conflict', `Port ${fixed} for the built-in Postgres is taken by another program.`, {
        hint: 'Choose another port, or leave it out and a free one is found.',
      });
    return fixed;
  }
  const kept = Number(await readFile(file, 'utf8').catch(() => '0'));
  const free = (kept > 0 && kept < 65_536 ? await tryPort(kept) : null) ?? (await tryPort(0));
  if (free === null) throw new SluiceError('unavailable', 'No port on 127.0.0.1 can be listened on.');
  if (free !== kept) await writeFile(file, `${free}\n`);
  return free;
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
