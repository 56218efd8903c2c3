import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { homeOf, type Peer } from './peers.ts';

export function isInstalled(peer: Peer): boolean {
  return peer.from === 'here' || existsSync(path.join(homeOf(peer), 'installed'));
}

/** Fetches a peer in its pinned version, unless it is there. Throws with the installer's last words when that fails. */
export async function install(peer: Peer, log: (line: string) => void): Promise<void> {
  if (isInstalled(peer)) return;
  const home = homeOf(peer);
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const began = performance.now();
  if (peer.from === 'npm') {
    await writeFile(path.join(home, 'package.json'), '{ "private": true }\n');
    // No script of a package is run.
    execute(home, ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...peer.packages]);
  } else {
    execute(home, ['python3', '-m', 'venv', home]);
    execute(home, [path.join(home, 'bin', 'pip'), 'install', '--quiet', ...peer.packages]);
  }
  await writeFile(path.join(home, 'installed'), `${peer.packages.join('\n')}\n`);
  const seconds = Math.round((performance.now() - began) / 1000);
  log(`${peer.name} ${peer.version}: ${Math.round(await folderMiB(home))} MiB in ${seconds} s`);
}

export async function folderMiB(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  return bytes / 1024 ** 2;
}

function execute(cwd: string, [program = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr?.slice(-2000)}`);
}
