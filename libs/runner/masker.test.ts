import { describe, expect, test } from '@jest/globals';
import { createMasker } from './masker.ts';

const TRICKY = 'p@ss w+rd/"q\\uoté"=';

describe('masking', () => {
  test.each([
    ['plain', TRICKY],
    ['URL-encoded', encodeURIComponent(TRICKY)],
    ['URL-encoded as a form', new URLSearchParams({ x: TRICKY }).toString().slice(2)],
    ['JSON-escaped', JSON.stringify(TRICKY).slice(1, -1)],
    ['JSON-escaped in ASCII', '"p@ss w+rd/\\"q\\\\uot\\u00e9\\"="'.slice(1, -1)],
    ['base64', Buffer.from(TRICKY).toString('base64')],
    ['base64url', Buffer.from(TRICKY).toString('base64url')],
    ['hex', Buffer.from(TRICKY).toString('hex')],
  ])('hides a secret that is %s', (_name, form) => {
    const { mask } = createMasker({ S: TRICKY });
    expect(mask(`before ${form} after`)).toBe('before *** after');
  });

  test.each([1, 2, 3, 4])('hides what base64 makes of a secret %d bytes inside a longer text', (before) => {
    const secret = 'hunter2-hunter2-hunter2';
    const { mask } = createMasker({ S: secret });
    const masked = mask(Buffer.from(`${'u'.repeat(before)}${secret}:tail`).toString('base64'));
    expect(masked).toContain('***');
    expect(Buffer.from(masked.replace('***', ''), 'base64').toString()).not.toContain('hunter2');
  });

  test('hides each line of a secret of several lines, and of base64 wrapped at 76 columns', () => {
    const key = `-----BEGIN KEY-----\n${'abcdefghij'.repeat(6)}\n${'0123456789'.repeat(6)}\n-----END KEY-----`;
    const { mask } = createMasker({ KEY: key });
    const wrapped = Buffer.from(key).toString('base64').replace(/.{76}/g, '$&\n');
    for (const line of [...key.split('\n'), ...wrapped.split('\n')]) expect(mask(line)).toBe('***');
  });

  test('hides secrets inside values, keys and numbers', () => {
    const { maskValue } = createMasker({ S: 'hunter2', PIN: '73194628' });
    expect(maskValue({ a: ['x hunter2 y', 73194628, true], hunter2: null })).toEqual({
      a: ['x *** y', '***', true],
      '***': null,
    });
  });

  test('leaves the longer of two overlapping secrets hidden whole', () => {
    const { mask } = createMasker({ A: 'token', B: 'token-and-more' });
    expect(mask('token-and-more token')).toBe('*** ***');
  });

  test('names secrets that are too short to hide, and changes nothing without secrets', () => {
    const { mask, tooShort } = createMasker({ A: 'abc', B: '' });
    expect([mask('abc'), tooShort]).toEqual(['abc', ['A']]);
  });
});
