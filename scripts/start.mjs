// `npm start` and `npm run demo`: build what is stale, then run the program in this process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { refuseOtherNodes } from '../bin/node-version.mjs';

refuseOtherNodes();
const build = fileURLToPath(new URL('build.mjs', import.meta.url));
const program = process.argv[2] ?? 'standalone';
const { status } = spawnSync(process.execPath, [build, '--if-stale', ...(program === 'demo' ? ['--server'] : [])], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
await import(`../dist/${program}.js`);
