import { rm } from 'node:fs/promises';
import { shared } from './database.setup.ts';

/** jest globalTeardown: stops the Postgres of `database.setup.ts` and removes its folder. Safe to call twice. */
export default async function teardown(): Promise<void> {
  const starting = shared.starting;
  delete shared.starting;
  if (starting === undefined) return;
  const { folder, postgres } = await starting;
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
