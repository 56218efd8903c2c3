// `npm run fault -- kill`: builds the program, then lets faults happen to it and checks what is left. Exit code 1: a promise broke.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { provideTools } from './find-tools.mjs';
import { ROOT } from './parts.mjs';

/** Files of bench/fault by fault. */
const FAULTS = {
  kill: 'kill',
  'hostile-repository': 'hostile-repository',
  cron: 'cron',
  F1: 'workers',
  F3: 'workers',
  F8: 'workers',
};

const [fault, ...args] = process.argv.slice(2);
if (!Object.hasOwn(FAULTS, fault ?? '')) {
  process.stderr.write(`usage: npm run fault -- ${Object.keys(FAULTS).join('|')} [options]\n`);
  process.exit(2);
}
const options = { cwd: ROOT, stdio: 'inherit' };
const build = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs'), '--server'], options);
if (build.status !== 0 || !existsSync(join(ROOT, 'dist', 'standalone.js'))) process.exit(build.status || 1);
const redis = FAULTS[fault] === 'workers' ? provideTools(['SLUICE_TEST_REDIS']).found : {};
const { status } = spawnSync(
  process.execPath,
  [
    '--import',
    'tsx',
    join(ROOT, 'bench', 'fault', `${FAULTS[fault]}.ts`),
    ...(FAULTS[fault] === 'workers' ? [fault] : []),
    ...args,
  ],
  { ...options, env: { ...process.env, ...redis } },
);
process.exit(status ?? 1);
