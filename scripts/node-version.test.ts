import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { NODE_RANGE, refusalOf } from '../bin/node-version.mjs';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

test.each([
  ['v16.20.2', false],
  ['v18.20.8', false],
  ['v20.0.0', false],
  ['v20.18.3', false],
  ['v20.19.0', true],
  ['v20.20.2', true],
  ['v21.7.3', false],
  ['v22.0.0', false],
  ['v22.12.0', false],
  ['v22.13.0', true],
  ['v22.21.1', true],
  ['v23.11.1', false],
  ['v24.0.0', true],
  ['v24.11.0', true],
  ['v25.2.0', true],
  ['v26.0.0-nightly20260101', true],
])('Node %s does: %s', (version, does) => {
  expect(refusalOf(version) === null).toBe(does);
  expect(refusalOf(version.slice(1))).toEqual(refusalOf(version));
});

test('package.json and its lock ask for the same', () => {
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { engines: { node: string } }> };
  expect(JSON.parse(read('package.json'))).toMatchObject({ engines: { node: NODE_RANGE } });
  expect(lock.packages['']?.engines.node).toBe(NODE_RANGE);
});

test.each(['bin/sluice.mjs', 'scripts/start.mjs'])('%s says so in two lines and starts nothing', (program) => {
  // This Node under another name: what it is called is all that is looked at.
  const renamed = `Object.defineProperty(process, 'version', { value: 'v21.7.3' });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(renamed)}`, join(ROOT, program), '--version'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe(
    'error: Sluice needs Node 20.19 or a newer 20, 22.13 or a newer 22, or 24 and newer; this is v21.7.3.\n' +
      'hint: Install Node 24 (https://nodejs.org, or `nvm install 24`), then run `npm ci` again.\n',
  );
});
