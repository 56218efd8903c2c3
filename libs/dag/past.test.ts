import { describe, expect, test } from '@jest/globals';
import { compilePipelines } from '#dag';

const DAILY = 'schedule: { cron: "0 0 * * *" }';

function compiled(task: string, more = DAILY, section = 'tasks'): { past: unknown; problems: string[] } {
  const last =
    section === 'finally' ? `tasks: { a: { run: "true" } }\nfinally: { t: ${task} }` : `tasks: { t: ${task} }`;
  const { pipelines, problems } = compilePipelines([{ file: 'p.yaml', text: `name: p\n${more}\n${last}` }]);
  return {
    past: pipelines[0]?.tasks.find(({ id }) => id === 't')?.past,
    problems: (problems.get('p.yaml') ?? []).map(({ line, column, message }) => `${line}:${column} ${message}`),
  };
}
const task = (keys: string) => `{ run: "true"${keys === '' ? '' : `, ${keys}`} }`;
const [NONE, ALONE, FOLLOWED] = [undefined, { downstream: false }, { downstream: true }];

describe('what a task asks of the interval before', () => {
  test.each([
    ['', '', NONE],
    ['depends_on_past: true', '', ALONE],
    ['wait_for_downstream: true', '', FOLLOWED],
    ['depends_on_past: true, wait_for_downstream: false', '', ALONE],
    ['', 'depends_on_past: true', ALONE],
    ['', 'wait_for_downstream: true', FOLLOWED],
    ['wait_for_downstream: false', 'depends_on_past: true, wait_for_downstream: true', ALONE],
    ['depends_on_past: false', 'depends_on_past: true, wait_for_downstream: true', NONE],
    ['wait_for_downstream: true', 'depends_on_past: false', FOLLOWED],
  ])('task { %s }, defaults { %s }', (keys, defaults, past) => {
    const more = defaults === '' ? DAILY : `${DAILY}\ndefaults: { ${defaults} }`;
    expect(compiled(task(keys), more)).toEqual({ past, problems: [] });
  });

  test('fan-outs of every kind may ask it', () => {
    const region = `${DAILY}\ngroups: { region: { matrix: { region: [eu, us] } } }`;
    for (const keys of ['group: region', 'matrix: { n: [1, 2] }'])
      for (const body of ['run: "true"', 'wait: { path: x }', 'approve: Ok?'])
        expect(compiled(`{ ${body}, ${keys}, depends_on_past: true }`, keys.startsWith('g') ? region : DAILY)).toEqual({
          ...{ past: ALONE, problems: [] },
        });
  });

  test('an environment’s schedule is a schedule; defaults say nothing to pipelines without one, or under finally', () => {
    const overlay = 'environments: { prod: { schedule: "0 0 * * *" } }';
    expect(compiled(task('depends_on_past: true'), overlay)).toEqual({ past: ALONE, problems: [] });
    expect(compiled(task(''), 'defaults: { depends_on_past: true }').problems).toEqual([]);
    expect(compiled(task(''), `${DAILY}\ndefaults: { depends_on_past: true }`, 'finally').past).toBeUndefined();
  });
});

test.each([
  [
    'no schedule',
    compiled(task('depends_on_past: true'), 'owner: x'),
    '3:28 Task "t" depends on the interval before, and no schedule gives its pipeline intervals.',
  ],
  [
    'finally',
    compiled(task('wait_for_downstream: true'), DAILY, 'finally'),
    '4:30 Task "t" stands under finally, whose tasks always run; wait_for_downstream has no meaning there.',
  ],
  [
    'both ways',
    compiled(task('depends_on_past: false, wait_for_downstream: true')),
    '3:52 Task "t" waits for what followed it in the interval before, and says that it does not depend on that.',
  ],
  [
    'the newest first',
    compiled(
      task('depends_on_past: true'),
      'schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: { order: newest_first } }',
    ),
    '2:60 catchup begins with the newest interval, and a task depends on the interval before.',
  ],
])('refused: %s', (_what, { problems }, problem) => {
  expect(problems).toEqual([problem]);
});
