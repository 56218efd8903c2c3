// `npm run bench:peers -- --peers sluice,luigi`: bundles bench/peers and measures Sluice beside other engines.
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { status } = spawnSync(process.execPath, [at('scripts/build.mjs'), '--if-stale', '--server'], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
await build({
  entryPoints: { peers: at('bench/peers/main.ts'), 'peers-sluice': at('bench/peers/adapters/sluice.ts') },
  outdir: at('dist/bench'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
});
await import('../dist/bench/peers.js');
