// `npm run bench -- L1 L5`: bundles bench/ and runs the named benchmarks, or all of them.
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { status } = spawnSync(process.execPath, [at('scripts/build.mjs'), '--if-stale', '--server'], {
  stdio: 'inherit',
});
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
