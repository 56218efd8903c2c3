import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly engines?: { readonly node?: string };
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, '..', file), 'utf8')) as unknown;
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const manifest = read('package.json') as { readonly allowScripts: Readonly<Record<string, boolean>> };
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Whether a package at `path` finds `name` in the lock, looking upward as Node does. */
function isLocked(path: string, name: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

describe('package-lock.json', () => {
  test('holds the packages of every platform, without which `npm ci` refuses the lock', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    expect(missing).toEqual([]);
  });

  test('names no registry, so that it works behind any mirror', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  test('every package with an install script is denied to run it', () => {
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(Object.keys(manifest.allowScripts).sort()).toEqual(
      [...new Set(scripted.map(([path]) => nameOf(path)))].sort(),
    );
    expect(Object.values(manifest.allowScripts).every((allowed) => !allowed)).toBe(true);
  });

  test('no package that is installed here asks for a newer Node than 20.19', () => {
    const tooNew = Object.entries(packages).filter(([, { engines, optional }]) => {
      // Enough for the ranges in use: alternatives of `>=`, `^` and bare versions.
      const alternatives = (engines?.node ?? '*').split('||').map((range) => /(\d+)(?:\.(\d+))?/.exec(range));
      const fits = alternatives.some(
        (found) => found === null || Number(found[1]) < 20 || (Number(found[1]) === 20 && Number(found[2] ?? 0) <= 19),
      );
      return !fits && optional !== true;
    });
    expect(tooNew.map(([path]) => path)).toEqual([]);
  });
});
