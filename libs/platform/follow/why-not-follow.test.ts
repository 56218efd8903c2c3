import { expect, test } from '@jest/globals';
import { parseEnvironment } from '#dag';
import type { Environments } from '#engine';
import { whyNotFollow } from './why-not-follow.ts';

function environments(rules: string): Environments {
  const { environment: config, problems } = parseEnvironment('e.yaml', `name: live\nstorage: s\n${rules}`, '/project');
  if (config === null) throw new Error(JSON.stringify(problems));
  return { get: (name) => (name === 'live' ? { config, hash: 'h' } : null), all: () => [] };
}

test.each([
  ['', null],
  ['verify: { pipelines: orders }', null],
  ['from: [dev]', 'live cannot follow a branch: it takes releases from dev.'],
  ['approvals: { count: 1 }', 'live cannot follow a branch: its releases need approval.'],
  ['gates: [{ external: { url: "https://x.example" } }]', 'live cannot follow a branch: its releases pass gates.'],
  ['window: { cron: "* 9-17 * * 1-5" }', 'live cannot follow a branch: its releases wait for a window.'],
])('with the rules %j a branch is refused by %j, whatever the rights', (rules, why) => {
  expect(whyNotFollow(environments(rules), 'live')).toBe(why);
});

test('an environment that no file declares follows nothing', () => {
  expect(whyNotFollow(environments(''), 'nope')).toBe('There is no environment "nope" in environments/.');
});
