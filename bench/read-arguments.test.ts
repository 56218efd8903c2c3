import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { expect, test } from '@jest/globals';
import { problemOf } from './read-arguments.ts';

const problemWith = (args: string[], allowPositionals = true): string | null => {
  try {
    parseArgs({ args, allowPositionals, options: { times: { type: 'string' }, again: { type: 'boolean' } } });
    return 'understood';
  } catch (error) {
    return problemOf(error);
  }
};

test.each([
  [['F1', '--times', '3', '--again'], 'understood'],
  [['F1', '--nonsense'], "Unknown option '--nonsense'"],
  [['F1', '--times'], "Option '--times <value>' argument missing"],
  [['F1', '--times', '--again'], "Option '--times' argument is ambiguous"],
  [['F1', '--again=yes'], "Option '--again' does not take an argument"],
])('of the arguments %j is said: %s', (args, problem) => {
  expect(problemWith(args)).toBe(problem);
});

test('arguments too many are named; another error is none of arguments', () => {
  expect(problemWith(['F1'], false)).toBe("Unexpected argument 'F1'");
  expect(problemOf(new Error('no disk'))).toBeNull();
});

test('a program of faults ends with the usage, not with a stack', () => {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'fault/main.ts'), 'F1', '--nonsense'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  const [problem, usage, ...rest] = stderr.split('\n');
  expect(problem).toBe("error: Unknown option '--nonsense'");
  expect(usage).toMatch(/^usage: npm run fault -- .*F1\|.*\[--again\]$/);
  expect(rest).toEqual(['']);
}, 60_000);
