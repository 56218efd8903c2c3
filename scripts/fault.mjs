// `npm run fault -- kill`: builds the program, then lets faults happen to it and checks what is left. Exit code 1: a promise broke.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { needTools } from './find-tools.mjs';
import { ROOT } from './parts.mjs';

/** Files of bench/fault by fault; the others are faults of a cluster, which `faults.ts` lists. */
const OTHERS = { kill: 'kill', 'hostile-repository': 'hostile-repository', cron: 'cron', F4: 'commit-points' };
const OF_CLUSTERS = [
  'F1',
  'F2',
  'F3',
  'F5',
  'F6',
  'F7',
  'F8',
  'F9',
  'F13',
  'F14',
  'F17',
  'F19',
  'namespaces',
  'monkey',
];

const [fault, ...args] = process.argv.slice(2);
const names = [...Object.keys(OTHERS), ...OF_CLUSTERS];
if (!names.includes(fault)) {
  process.stderr.write(`usage: npm run fault -- ${names.join('|')} [options]\n`);
  process.exit(2);
}
const isOfClusters = OF_CLUSTERS.includes(fault);
const redis = isOfClusters ? needTools(['SLUICE_TEST_REDIS']) : {};
const options = { cwd: ROOT, stdio: 'inherit' };
const build = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs'), '--server'], options);
if (build.status !== 0 || !existsSync(join(ROOT, 'dist', 'standalone.js'))) process.exit(build.status || 1);
const file = join(ROOT, 'bench', 'fault', `${isOfClusters ? 'main' : OTHERS[fault]}.ts`);
const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...(isOfClusters ? [fault] : []), ...args], {
  ...options,
  env: { ...process.env, ...redis },
});
process.exit(status ?? 1);
