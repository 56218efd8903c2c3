// `npm run fault -- kill`: builds the program, then lets faults happen to it and checks what is left. Exit code 1: a promise broke.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './parts.mjs';

const FAULTS = ['kill', 'hostile-repository', 'cron'];

const [fault, ...args] = process.argv.slice(2);
if (!FAULTS.includes(fault)) {
  process.stderr.write(`usage: npm run fault -- ${FAULTS.join('|')} [options]\n`);
  process.exit(2);
}
const options = { cwd: ROOT, stdio: 'inherit' };
const build = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs'), '--server'], options);
if (build.status !== 0 || !existsSync(join(ROOT, 'dist', 'standalone.js'))) process.exit(build.status || 1);
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', join(ROOT, 'bench', 'fault', `${fault}.ts`), ...args],
  options,
);
process.exit(status ?? 1);
