import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '');
const instructions = lines.map((line) => {
  const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  return { name, rest };
});
const all = (name: string) => instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const KNOWN = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'HEALTHCHECK', 'CMD'];

describe('Dockerfile', () => {
  test('consists of known instructions and builds on a Node that package.json accepts', () => {
    expect(KNOWN).toEqual(expect.arrayContaining(instructions.map(({ name }) => name)));
    for (const from of all('FROM')) expect(from).toMatch(/^node:(2[2-9])-[a-z]+-slim( AS [a-z]+)?$/);
  });

  test('installs from the lock without install scripts, and leaves development packages out', () => {
    expect(all('RUN').join('\n')).toMatch(/npm ci --ignore-scripts/);
    expect(all('RUN').join('\n')).toMatch(/npm prune --omit=dev --ignore-scripts/);
  });

  test('copies only what exists or what its first stage makes', () => {
    const made = ['/app/node_modules', '/app/dist'];
    for (const copy of all('COPY')) {
      const [, from, sources = ''] = /^(?:--from=(\w+) )?(.*) \S+$/.exec(copy) ?? [];
      if (from !== undefined) expect(from).toBe('build');
      for (const source of sources.split(' ').filter((path) => !made.includes(path)))
        expect([source, existsSync(join(ROOT, source.replace('/app/', '')))]).toEqual([source, true]);
    }
  });

  test('runs as an ordinary user that can write to its data folder, and can be asked for its health', () => {
    expect(all('USER')).toEqual(['node']);
    expect(all('RUN').join('\n')).toContain('chown node:node .sluice');
    expect(all('HEALTHCHECK')[0]).toContain('/healthz');
    expect(JSON.parse(all('CMD')[0] ?? '')).toEqual(['node', 'dist/standalone.js']);
  });

  test('the build never sees secrets, data or history', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.git', '.sluice', 'node_modules', 'dist']));
  });
});
