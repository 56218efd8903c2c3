import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { contained } from './contained.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'sluice-contained-'));
  await mkdir(path.join(root, 'real', 'deep'), { recursive: true });
  await writeFile(path.join(root, 'file'), '');
  await symlink('/etc', path.join(root, 'to-etc'));
  await symlink('..', path.join(root, 'real', 'up'));
  await symlink('real', path.join(root, 'to-real'));
  await symlink('/nowhere', path.join(root, 'dangling'));
  await symlink('loop', path.join(root, 'loop'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const REFUSED = [
  ...['', '.', '..', './a', 'a/.', 'a/..', '../a', 'a/../b', 'a/../../b', '../../../etc/passwd', 'a/b/../../../c'],
  ...['/', '/etc/passwd', '//etc/passwd', '///', 'a//b', 'a/', 'a/b/', '/a', ' /../x/'.slice(1)],
  ...['..\\..\\x', 'a\\b', '\\\\server\\share', '\\etc', 'C:\\x', 'C:/x', 'c:x', 'a/..\\..\\b'],
  ...['a\0', '\0', 'a\0/../b', 'a/b\0.yaml', 'a\nb', 'a\rb', 'a\tb', '\u001b[2J', 'a\u007f', 'a/\u0001'],
  ...[
    'to-etc',
    'to-etc/passwd',
    'real/up',
    'real/up/real',
    'real/up/../etc',
    'to-real',
    'to-real/deep',
    'dangling',
    'dangling/x',
    'loop',
    'loop/x',
    'file/x',
  ],
  ...['a/'.repeat(3000) + 'a', 'x'.repeat(256), 'x'.repeat(5000)],
];
/** Look like escapes, and are plain names. */
const INSIDE = [
  ...[
    '...',
    '....',
    '.. ',
    ' ..',
    '..a',
    'a..',
    '.a',
    'a/...',
    '%2e%2e/x',
    '%2e%2e%2fx',
    '..%2f',
    '%00',
    '~',
    '~root/x',
  ],
  ...[
    '．．/x',
    '..／x',
    '‥',
    '․․/x',
    '\u202e../x'.replace('..', 'dots'),
    'é/ü',
    '$(id)',
    '`id`',
    ';rm',
    '-rf',
    '--',
    '*',
    'a b',
    "a'b",
    'a"b',
  ],
  ...[
    'CON',
    'nul',
    'constructor',
    '__proto__',
    'file:',
    'file:x',
    'http:/x',
    'ds=2026-01-01',
    'lr=0.1,depth=4',
    'real',
    'real/deep',
    'real/deep/new/er',
    'file',
  ],
];

describe('a contained path', () => {
  test.each(REFUSED)('%j is refused', (payload) => {
    expect(() => contained(root, payload)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  test.each(INSIDE)('%j stays below the root', (payload) => {
    expect(contained(root, payload)).toBe(`${root}/${payload}`);
  });

  test('values that are no text at all are refused', () => {
    for (const value of [undefined, null, 7, ['a'], { toString: () => 'a' }])
      expect(() => contained(root, value as string)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  test('the last part may be a link when the caller replaces links, the parts before may not', () => {
    expect(contained(root, 'to-real', { lastMayBeLink: true })).toBe(`${root}/to-real`);
    expect(() => contained(root, 'to-real/deep', { lastMayBeLink: true })).toThrow('goes through the symbolic link');
  });
});
