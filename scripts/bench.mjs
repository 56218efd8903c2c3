// `npm run bench -- L1 L5`: bundles bench/ and runs the named benchmarks, or all of them.
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';
import { needTools } from './find-tools.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const names = process.argv.slice(2).filter((argument) => /^[A-Z]\d+$/.test(argument));
const measures = (name) => !process.argv.includes('--table') && (names.length === 0 || names.includes(name));
// Only L15 looks at the web view, which takes some seconds to build.
const isSeen = measures('L15');
if (isSeen) Object.assign(process.env, needTools(['SLUICE_TEST_CHROMIUM']));
if (measures('L21')) Object.assign(process.env, needTools(['SLUICE_TEST_REDIS']));
const parts = ['--if-stale', ...(isSeen ? [] : ['--server'])];
const { status } = spawnSync(process.execPath, [at('scripts/build.mjs'), ...parts], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
await build({
  entryPoints: [at('bench/main.ts')],
  outfile: at('dist/bench/main.js'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
});
await import('../dist/bench/main.js');
