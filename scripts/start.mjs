// `npm start` and `npm run demo`: build what is stale, then run the program in this process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: Sluice needs Node 20.19 or newer; this is ${process.version}.\n`);
  process.exit(1);
}
const build = fileURLToPath(new URL('build.mjs', import.meta.url));
const program = process.argv[2] ?? 'standalone';
const { status } = spawnSync(process.execPath, [build, '--if-stale', ...(program === 'demo' ? ['--server'] : [])], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
await import(`../dist/${program}.js`);
