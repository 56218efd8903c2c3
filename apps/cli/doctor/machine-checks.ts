import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fail, ok, warn, type Finding } from './check.ts';

const MIB = 1024 * 1024;
const DEFAULT_PORT = 7460;

/** Free space where the data of the built-in database and storage lie. */
export async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found =
    free >= 10 * 1024 * MIB ? `${Math.floor(free / 1024 / MIB)} GiB free` : `${Math.floor(free / MIB)} MiB free`;
  if (free < 200 * MIB)
    return fail('disk', found, `Free some space at ${folder}: Postgres stops when the disk is full.`);
  return free < 1024 * MIB
    ? warn('disk', found, `Free some space at ${folder}: runs keep their outputs there.`)
    : ok('disk', found);
}

/** Whether `.sluice` can be written: really, by writing. */
export async function checkWriting(root: string): Promise<Finding> {
  const home = join(root, '.sluice');
  let made: string | undefined;
  try {
    made = await mkdir(home, { recursive: true });
    const probe = await mkdtemp(join(home, 'doctor-'));
    await writeFile(join(probe, 'probe'), 'x');
    await rm(probe, { recursive: true });
    return ok('write rights', home);
  } catch (error) {
    return fail(
      'write rights',
      `${home}: ${(error as NodeJS.ErrnoException).code}`,
      'Give yourself the right to write there, or set SLUICE_HOME to another folder.',
    );
  } finally {
    // Looking must not leave anything behind.
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  }
}

/** The port of the server: free, ours, or somebody else's. */
export async function checkPort(env: Readonly<Record<string, string | undefined>>): Promise<Finding> {
  const port = Number(env.SLUICE_PORT || DEFAULT_PORT);
  const name = `port ${port}`;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return fail('port', `SLUICE_PORT is "${env.SLUICE_PORT}"`, 'Set it to a number from 0 to 65535, or unset it.');
  if (port === 0) return ok(name, 'the system chooses one');
  const problem = await listenOnce(port, env.SLUICE_HOST || '127.0.0.1');
  if (problem === null) return ok(name, 'free');
  if (problem !== 'EADDRINUSE') return fail(name, problem, 'Choose another port with SLUICE_PORT.');
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(2_000),
    redirect: 'error',
  }).catch(() => null);
  const body = answer?.ok ? await answer.text().catch(() => '') : '';
  return body.includes('"ok":true')
    ? ok(name, 'a Sluice server answers there')
    : warn(
        name,
        'in use by another program',
        'Choose another port with SLUICE_PORT; `npm start` offers the next free one.',
      );
}

function listenOnce(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Schedules are computed in IANA zones with Node's own data: a build without it would silently take UTC. */
export function checkTimeZones(): Finding {
  // New York in July is four hours behind: only right with real data.
  const hour = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'America/New_York',
    hour: '2-digit',
    hourCycle: 'h23',
  }).format(new Date('2026-07-01T12:00:00Z'));
  const zones = Intl.supportedValuesOf('timeZone').length;
  return hour === '08' && zones > 300
    ? ok('time zones', `${zones} zones, data ${process.versions.tz ?? 'of unknown age'}`)
    : fail(
        'time zones',
        `${zones} zones, 12:00Z is ${hour}:00 in New York`,
        'Use a Node built with full ICU data (the official ones are).',
      );
}
