#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuseOtherNodes } from './node-version.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

refuseOtherNodes();
if (!existsSync(join(root, 'dist', 'cli.js'))) {
  process.stderr.write('Building Sluice once; this takes a few seconds.\n');
  // What the build prints is a message, never data.
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--server'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status !== 0) {
    process.stderr.write('error: the build failed; its messages are above.\nhint: `npm ci` installs what it needs.\n');
    process.exit(1);
  }
}
await import('../dist/cli.js');
