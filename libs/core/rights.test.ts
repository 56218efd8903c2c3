import { describe, expect, test } from '@jest/globals';
import {
  EVERY_RIGHT,
  mayDo,
  mayDoSomewhere,
  RIGHTS,
  viewableEnvironments,
  type GrantedRight,
  type Right,
} from './rights.ts';

/** `promote:test view:*` as a list of rights. */
function rights(text: string): GrantedRight[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((one) => {
      const [right, environment] = one.split(':') as [Right, string];
      return { right, environment };
    });
}

// What is held, what is asked, whether it may be done.
const TABLE: readonly (readonly [string, `${Right}:${string}`, boolean])[] = [
  ['', 'view:dev', false],
  ['view:dev', 'view:dev', true],
  ['view:dev', 'view:prod', false],
  ['view:*', 'view:prod', true],
  ['view:*', 'operate:prod', false],
  ['operate:dev', 'view:dev', true],
  ['operate:dev', 'view:prod', false],
  ['operate:dev', 'operate:dev', true],
  ['operate:dev', 'operate:prod', false],
  ['operate:*', 'operate:prod', true],
  ['operate:dev', 'promote:dev', false],
  ['promote:test view:*', 'promote:test', true],
  ['promote:test view:*', 'promote:prod', false],
  ['promote:test view:*', 'view:prod', true],
  ['approve:prod', 'approve-on-behalf:prod', false],
  ['approve-on-behalf:prod', 'approve:prod', false],
  ['promote:prod', 'override:prod', false],
  ['promote:prod', 'promote:pro', false],
  ['promote:pro', 'promote:prod', false],
  ['promote:prod', 'promote:PROD', false],
  // What belongs to all environments needs the right in all of them.
  ['admin:*', 'admin:*', true],
  ['admin:dev', 'admin:*', false],
  ['operate:dev operate:prod', 'operate:*', false],
  ['admin:*', 'operate:dev', false],
  // A right in an environment holds in its previews, not the other way round.
  ['operate:dev', 'operate:dev/pr-1', true],
  ['operate:dev', 'view:dev/pr-1', true],
  ['operate:dev/pr-1', 'operate:dev/pr-1', true],
  ['operate:dev/pr-1', 'operate:dev', false],
  ['operate:dev/pr-1', 'operate:dev/pr-12', false],
  ['operate:dev', 'operate:dev2/pr-1', false],
  ['operate:dev', 'operate:/dev', false],
];

describe('what may be done', () => {
  test.each(TABLE)('%j asked for %s: %s', (held, asked, may) => {
    const [right, environment] = asked.split(':') as [Right, string];
    expect(mayDo(rights(held), right, environment)).toBe(may);
  });

  test.each(RIGHTS)('%s in one environment implies view there, and nothing else', (right) => {
    const held = rights(`${right}:dev`);
    expect(RIGHTS.filter((asked) => mayDo(held, asked, 'dev')).sort()).toEqual([...new Set(['view', right])].sort());
    expect(RIGHTS.filter((asked) => mayDo(held, asked, 'prod'))).toEqual([]);
  });

  test('the installation’s own token may do everything everywhere', () => {
    for (const right of RIGHTS)
      for (const environment of ['dev', 'any', '*']) expect(mayDo(EVERY_RIGHT, right, environment)).toBe(true);
  });

  test('what belongs to no environment may be done with the right in any', () => {
    expect(mayDoSomewhere(rights('release:dev'), 'release')).toBe(true);
    expect(mayDoSomewhere(rights('release:dev'), 'view')).toBe(true);
    expect(mayDoSomewhere(rights('view:*'), 'release')).toBe(false);
    expect(mayDoSomewhere([], 'view')).toBe(false);
  });

  test('lists show the environments of any right', () => {
    expect(viewableEnvironments(rights('view:test operate:dev view:dev'))).toEqual(['dev', 'test']);
    expect(viewableEnvironments(rights('view:test operate:*'))).toBe('*');
    expect(viewableEnvironments([])).toEqual([]);
  });
});
