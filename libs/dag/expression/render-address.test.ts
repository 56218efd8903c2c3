import { describe, expect, test } from '@jest/globals';
import { renderAddress, renderJson, type Scope } from '../index.ts';

const scope: Scope = {
  params: { id: 'a/b?c=d&e#f', up: '..', half: '.', n: 3, list: [1, 2], dollar: '${{ params.n }}' },
  env: {
    name: 'dev',
    vars: { api: 'https://api.example:8443/v1/', user: 'https://u:p@api.example', no: 'api.example' },
  },
  run: { id: 'r1', trigger: 'manual', release: 'abc', interval: null },
};

describe('an address', () => {
  test.each([
    ['https://a.example/x', 'https://a.example/x'],
    ['https://a.example/${{ params.id }}', 'https://a.example/a%2Fb%3Fc%3Dd%26e%23f'],
    ['https://a.example/?q=${{ params.id }}&r=1', 'https://a.example/?q=a%2Fb%3Fc%3Dd%26e%23f&r=1'],
    ['${{ env.vars.api }}/orders/${{ params.n }}', 'https://api.example:8443/v1/orders/3'],
    ['${{ env.vars.api }}', 'https://api.example:8443/v1'],
  ])('%s', (text, address) => {
    expect(renderAddress(text, scope)).toEqual({ ok: true, value: address });
  });

  test.each([
    ['https://a.example/x/${{ params.up }}/y', /a value makes it "https:\/\/a.example\/x\/..\/y", and "." and ".."/],
    ['https://a.example/x/.${{ params.half }}/y', /no names in a path/],
    ['${{ env.vars.user }}/x', /it begins with "https:\/\/u:p@api.example"; expected http/],
    ['${{ env.vars.no }}/x', /it begins with "api.example"/],
    ['${{ env.vars.nope }}/x', /cannot be evaluated/],
  ])('%s is refused', (text, message) => {
    expect(renderAddress(text, scope)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

test('in JSON a text that is one expression keeps the type of its value, and values are not read again', () => {
  const value = {
    a: ['${{ params.n }}', 'n=${{ params.n }}', '${{ params.list }}'],
    b: { c: '${{ params.dollar }}' },
    d: null,
  };
  expect(renderJson(value, scope)).toEqual({
    ok: true,
    value: { a: [3, 'n=3', [1, 2]], b: { c: '${{ params.n }}' }, d: null },
  });
  expect(renderJson({ a: ['${{ params.nope }}'] }, scope).ok).toBe(false);
});
