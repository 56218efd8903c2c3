// Bundles the processes into dist/ (under a second) and the web view into dist/web (some seconds). `--if-stale` skips
// what is newer than its sources; `--server` leaves the web view out.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const ENTRIES = ['standalone', 'api', 'scheduler', 'worker', 'cli'];
const DEMO = { demo: join(root, 'apps', 'standalone', 'demo.ts') };

const started = performance.now();
const ifStale = process.argv.includes('--if-stale');
const work = [];
if (!ifStale || isStale('server.stamp', ['apps', 'libs', 'bin', 'package.json', 'scripts/build.mjs'], 'apps/web'))
  work.push(buildServer());
if (
  !process.argv.includes('--server') &&
  (!ifStale || isStale('web.stamp', ['apps/web', 'libs/contracts', 'libs/core']))
)
  work.push(buildWeb());
await Promise.all(work);
if (work.length > 0) process.stderr.write(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.\n`);

async function buildServer() {
  const { metafile } = await build({
    entryPoints: { ...DEMO, ...Object.fromEntries(ENTRIES.map((name) => [name, join(root, 'apps', name, 'main.ts')])) },
    outdir: dist,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    chunkNames: 'chunk/[name]-[hash]',
    logLevel: 'warning',
    metafile: true,
    absWorkingDir: root,
  });
  cpSync(join(root, 'libs', 'runner', 'child'), join(dist, 'child'), { recursive: true });
  removeOthers(new Set(Object.keys(metafile.outputs).map((file) => join(root, file))));
  stamp('server.stamp');
}

/** Only now, and only what is of no use: another process may be building the same, or running what is here. */
function removeOthers(made) {
  for (const folder of [dist, join(dist, 'chunk')])
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = join(folder, entry.name);
      if (entry.isFile() && !file.endsWith('.stamp') && !made.has(file)) rmSync(file, { force: true });
    }
}

async function buildWeb() {
  const vite = await import('vite');
  await vite.build({ configFile: join(root, 'apps', 'web', 'vite.config.ts'), logLevel: 'warn' });
  stamp('web.stamp');
}

function stamp(name) {
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, name), '');
  utimesSync(join(dist, name), new Date(), new Date());
}

/** Whether a source is newer than the stamp. */
function isStale(name, sources, except) {
  const file = join(dist, name);
  if (!existsSync(file)) return true;
  const built = statSync(file).mtimeMs;
  return sources.some((source) => newest(join(root, source), except && join(root, except)) > built);
}

function newest(path, except) {
  if (path === except) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name), except)));
}
