import { expect, test } from '@jest/globals';
import { readsFrom } from './read-grant.ts';

const DEV = {
  name: 'dev',
  grants: [
    { read: 'prod', paths: ['features', 'orders.raw'] },
    { read: 'test', paths: ['features', 'scores'] },
  ],
};

test.each([
  ['orders', 'features', 'prod'],
  ['flights', 'features', 'prod'],
  ['orders', 'raw', 'prod'],
  ['flights', 'raw', 'dev'],
  ['flights', 'scores', 'test'],
])('a read of %s.%s means the data of %3$s', (pipeline, path, environment) => {
  expect(readsFrom(DEV, pipeline, path)).toBe(environment);
});

test('without grants every environment reads its own data', () => {
  expect(readsFrom({ name: 'dev', grants: [] }, 'orders', 'raw')).toBe('dev');
});
