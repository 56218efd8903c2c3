import { describe, expect, test } from '@jest/globals';
import { judgeDrift, type DriftFacts, type DriftRelease } from './drift.ts';

const release = (name: string, more: Partial<DriftRelease> = {}): DriftRelease => ({
  digest: name.repeat(64),
  alias: `alias-${name}`,
  commit: name.repeat(40),
  dirty: false,
  ...more,
});
const a = release('a');
const b = release('b');
const STEADY: DriftFacts = {
  environment: 'prod',
  git: { source: '/srv/x.git', ref: 'main', commit: a.commit ?? '' },
  newest: a,
  current: a,
  commitsUnreleased: 0,
  commitsBehind: 0,
  releasesBehind: 0,
  config: { applied: 'c'.repeat(64), file: 'c'.repeat(64), problem: null },
  paused: [],
};

describe('drift', () => {
  test.each<[string, Partial<DriftFacts>, string[]]>([
    ['nothing differs', {}, []],
    ['no repository at hand says nothing about git', { git: null, commitsUnreleased: null }, []],
    [
      'the branch is ahead',
      { git: { source: '/r', ref: 'main', commit: 'd'.repeat(40) }, commitsUnreleased: 2 },
      ['unreleased: main is 2 commits ahead of the newest release alias-a (aaaaaaaaaaaa).'],
    ],
    [
      'the branch is elsewhere, nobody knows how far',
      { git: { source: '/r', ref: 'main', commit: 'd'.repeat(40) }, commitsUnreleased: null },
      ['unreleased: main is at dddddddddddd, the newest release alias-a is of another commit (aaaaaaaaaaaa).'],
    ],
    [
      'the release is of a later commit than this clone has',
      { git: { source: '/r', ref: 'main', commit: 'd'.repeat(40) } },
      [],
    ],
    [
      'nothing was ever released',
      { newest: null, current: null },
      ['unreleased: No release of a commit exists; main is at aaaaaaaaaaaa.'],
    ],
    ['neither git nor releases', { git: null, newest: null, current: null }, []],
    [
      'three commits behind',
      { newest: b, commitsBehind: 3, releasesBehind: 1, git: null },
      [
        'behind: prod is 3 commits behind: it runs alias-a (aaaaaaaaaaaa), the newest release is alias-b (bbbbbbbbbbbb).',
      ],
    ],
    [
      'one release behind where no repository counts commits',
      { newest: b, commitsBehind: null, releasesBehind: 1, git: null },
      [
        'behind: prod is 1 release behind: it runs alias-a (aaaaaaaaaaaa), the newest release is alias-b (bbbbbbbbbbbb).',
      ],
    ],
    // Its own release was recorded again with more content later.
    ['it is ahead of the newest release', { newest: b, commitsBehind: 0, releasesBehind: 0, git: null }, []],
    ['another release of which nothing is known is none behind', { newest: b, commitsBehind: null, git: null }, []],
    ['nothing runs yet', { current: null }, ['behind: prod points at no release; the newest is alias-a.']],
    [
      'a working tree runs',
      { current: release('w', { dirty: true }) },
      ['uncommitted: prod runs a working tree, alias-w, with changes that are in no commit.'],
    ],
    [
      'the file was changed and not applied',
      { config: { applied: 'c'.repeat(64), file: 'd'.repeat(64), problem: null } },
      ['configuration: The file (dddddddddddd) is not what was applied (cccccccccccc).'],
    ],
    [
      'the file is broken',
      { config: { applied: 'c', file: null, problem: 'environments/prod.yaml:3:1: unknown key' } },
      [
        'configuration: The file has problems, so what was applied before goes on: environments/prod.yaml:3:1: unknown key',
      ],
    ],
    [
      'the file is gone',
      { config: { applied: 'c', file: null, problem: null } },
      ['configuration: The file is gone, and what was applied before goes on.'],
    ],
    [
      'the file was never applied',
      { config: { applied: null, file: 'c', problem: null } },
      ['configuration: The file was never applied.'],
    ],
    [
      'schedules are paused by hand',
      {
        paused: [
          { pipeline: 'churn', by: 'anna', since: '2026-01-01T00:00:00.000Z' },
          { pipeline: 'old', by: null, since: null },
        ],
      },
      [
        'paused: The schedule of churn is paused by anna since 2026-01-01T00:00:00.000Z.',
        'paused: The schedule of old is paused.',
      ],
    ],
  ])('%s', (_name, facts, told) => {
    expect(judgeDrift({ ...STEADY, ...facts }).map(({ kind, text }) => `${kind}: ${text}`)).toEqual(told);
  });

  test('each says what to do', () => {
    const items = judgeDrift({
      ...STEADY,
      git: { source: '/r', ref: 'main', commit: 'd'.repeat(40) },
      commitsUnreleased: 1,
      newest: b,
      commitsBehind: 1,
      paused: [{ pipeline: 'churn', by: null, since: null }],
    });
    expect(items.map(({ subject, remedy }) => [subject, remedy])).toEqual([
      ['/r#main', 'sluice release create --ref dddddddddddd'],
      ['alias-a', 'sluice promote --to prod --release bbbbbbbbbbbb'],
      ['churn', 'sluice unpause churn --env prod'],
    ]);
  });
});
