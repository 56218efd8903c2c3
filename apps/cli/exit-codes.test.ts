import { expect, test } from '@jest/globals';
import { ERROR_CODES, SluiceError } from '#core';
import { EXIT_CODES, EXIT_MEANINGS } from './exit-codes.ts';
import { describeFailure } from './failure.ts';

test('every error code has an exit code whose meaning is written down', () => {
  expect(Object.keys(EXIT_CODES).sort()).toEqual([...ERROR_CODES].sort());
  for (const code of Object.values(EXIT_CODES)) expect(EXIT_MEANINGS[code]).toBeDefined();
});

test('no failure looks like success', () => {
  for (const code of Object.values(EXIT_CODES)) expect(code).toBeGreaterThan(0);
});

test.each([
  ['ENOENT', 'not_found'],
  ['EACCES', 'unavailable'],
  ['ENOSPC', 'unavailable'],
  ['EWHATEVER', 'internal'],
])('%s of the system is %s', (code, expected) => {
  expect(describeFailure(Object.assign(new Error('x'), { code, path: '/p' })).code).toBe(expected);
});

test('a SluiceError stays what it is', () => {
  const error = new SluiceError('conflict', 'x');
  expect(describeFailure(error)).toBe(error);
});
