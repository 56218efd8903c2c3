import { expect, test } from '@jest/globals';
import type { Environment } from '#contracts';
import { releaseMarks } from './release-marks.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

function anEnvironment(name: string, release: string | null, more: Partial<Environment> = {}): Environment {
  return {
    ...{ name, release, schedules: 'active', storage: 'file:///s', dirty: false, releasedAt: null },
    ...{ problems: [], follow: null, preview: null, ...more },
  };
}

test('each environment is told apart from the shown one by what it runs', () => {
  const environments = [
    anEnvironment('dev', A, { dirty: true }),
    anEnvironment('test', A),
    anEnvironment('prod', B),
    anEnvironment('new', null),
  ];
  const beside = (shown: string) => releaseMarks(environments, shown).map((mark) => [mark.environment, mark.beside]);
  expect(beside('dev')).toEqual([
    ['dev', 'shown'],
    ['test', 'same'],
    ['prod', 'differs'],
    ['new', 'nothing'],
  ]);
  // What runs nothing is the same as nobody.
  expect(beside('new').map(([, one]) => one)).toEqual(['differs', 'differs', 'differs', 'shown']);
  expect(releaseMarks(environments, 'dev').map(({ dirty }) => dirty)).toEqual([true, false, false, false]);
});

test('a followed branch is named, with why its newest commit does not run', () => {
  const follow = { remote: '/srv/git/p.git', ref: 'main', commit: null, at: null, problem: 'No answer.', problems: [] };
  const [mark] = releaseMarks([anEnvironment('dev', A, { follow })], 'dev');
  expect([mark?.ref, mark?.problem]).toEqual(['main', 'No answer.']);
});

test('previews are left out, but for the one that is shown', () => {
  const preview = { parent: 'dev', expiresAt: '2026-01-01T00:00:00.000Z', closing: false };
  const environments = [
    anEnvironment('dev', A),
    anEnvironment('dev/pr-1', B, { preview }),
    anEnvironment('dev/pr-2', B, { preview }),
  ];
  expect(releaseMarks(environments, 'dev').map(({ environment }) => environment)).toEqual(['dev']);
  expect(releaseMarks(environments, 'dev/pr-2').map(({ environment }) => environment)).toEqual(['dev', 'dev/pr-2']);
});
