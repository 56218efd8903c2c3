import { expect, test } from '@jest/globals';
import { compareTools, mergeTools } from './tool-versions.ts';

const old = { node: 'v20', bash: '5.1', platform: 'linux x64' };
const now = { node: 'v22', bash: '5.2', platform: 'linux x64', python: '3.11' };

test('only what executed the tasks counts, and the platform', () => {
  expect(compareTools(['node'], [old], [now])).toEqual([{ tool: 'node', before: 'v20', after: 'v22' }]);
  expect(compareTools(['sql'], [old], [now])).toEqual([]);
  expect(compareTools(['python'], [old], [now])).toEqual([{ tool: 'python', before: null, after: '3.11' }]);
  expect(compareTools([], [old], [{ platform: 'linux arm64' }])).toEqual([
    { tool: 'platform', before: 'linux x64', after: 'linux arm64' },
  ]);
});

test('several machines are named together, and what was not recorded is not known', () => {
  expect(compareTools(['node'], [old, now], [now])).toEqual([{ tool: 'node', before: 'v20, v22', after: 'v22' }]);
  expect(compareTools(['node'], [now, now], [now])).toEqual([]);
  expect(compareTools(['node'], [old, null], [now])).toBeNull();
  expect(compareTools(['node'], [], [now])).toBeNull();
  expect(mergeTools([old, null, now])).toMatchObject({ bash: '5.1, 5.2', python: '3.11' });
});
