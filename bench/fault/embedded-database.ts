import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';

/** Connects to the embedded Postgres of a home folder, which serves. The caller ends it. */
export async function connectEmbedded(home: string): Promise<pg.Client> {
  const read = async (name: string): Promise<string> =>
    (await readFile(path.join(home, 'postgres', name), 'utf8')).trim();
  const client = new pg.Client({
    connectionString: `postgres://sluice:${await read('password')}@127.0.0.1:${await read('port')}/sluice`,
  });
  // The server may be stopped under us; the next query tells.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
