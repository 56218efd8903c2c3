import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { homeOf, type Peer } from './peers.ts';

export function isInstalled(peer: Peer): boolean {
  return peer.from === 'here' || existsSync(path.join(homeOf(peer), 'installed'));
}

/** Fetches a peer and all that it needs in the versions that `pinned` names, unless it is there. Throws with the installer's last words. */
export async function install(peer: Peer, pinned: string, log: (line: string) => void): Promise<void> {
  if (isInstalled(peer)) return;
  const home = homeOf(peer);
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const began = performance.now();
  if (peer.from === 'npm') {
    for (const name of ['package.json', 'package-lock.json'])
      await copyFile(path.join(pinned, peer.name, name), path.join(home, name));
    // No script of a package is run.
    execute(home, ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  } else {
    execute(home, ['python3', '-m', 'venv', home]);
    execute(home, [path.join(home, 'bin', 'pip'), 'install', '--quiet', '-r', path.join(pinned, `${peer.name}.txt`)]);
  }
  const took = `${Math.round((performance.now() - began) / 1000)} s`;
  await writeFile(path.join(home, 'installed'), `${peer.version}\n`);
  log(`${peer.name} ${peer.version}: ${Math.round(await folderMiB(home))} MiB in ${took}`);
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
