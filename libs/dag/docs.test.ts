import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { examplesOf, readPage } from '../testing/examples.ts';
import { compilePipelines, intervalsBetween, parseEnvironment, parsePipeline, withOverlay } from './index.ts';

const page = readPage('docs/pipeline-file.md');
const blocks = examplesOf('docs/pipeline-file.md', 'yaml', 6);

test.each(['docs/cache.md', 'docs/checks.md', 'docs/groups.md', 'docs/acting.md'])(
  'the examples of %s are valid',
  (name) => {
    for (const example of examplesOf(name, 'yaml')) expect(parsePipeline('p.yaml', example).problems).toEqual([]);
  },
);

test.each(['docs/history.md', 'docs/operations.md', 'docs/environments.md'])(
  'the environments of %s are valid',
  (name) => {
    for (const example of examplesOf(name, 'yaml')) expect(environmentProblems(example)).toEqual([]);
  },
);

test('the examples of docs/verify.md and of gates in docs/testing-pipelines.md are valid', () => {
  const [task, sample = ''] = examplesOf('docs/verify.md', 'yaml', 2);
  expect(parsePipeline('p.yaml', `name: p\npaths: { model: model }\n${task}`).problems).toEqual([]);
  expect(environmentProblems(sample)).toEqual([]);
  const [, , gates = ''] = examplesOf('docs/testing-pipelines.md', 'yaml', 3);
  expect(environmentProblems(gates)).toEqual([]);
});

/** An example may be a part of a file: what has to be in it besides is added. */
function environmentProblems(example: string) {
  const rest = /^name:/m.test(example) ? '' : 'name: prod\nstorage: file:///data/prod\n';
  return parseEnvironment('prod.yaml', `${rest}${example}`, '/project').problems;
}

test('the example of docs/replicas.md is valid, and asks for what it says', () => {
  const [example = ''] = examplesOf('docs/replicas.md', 'yaml', 1);
  const { pipeline, problems } = parsePipeline('p.yaml', example);
  expect(problems).toEqual([]);
  expect(pipeline?.tasks.map(({ replicas }) => replicas)).toEqual([
    { min: 2, max: 2 },
    { min: 2, max: 4 },
  ]);
  const { tasks } = withOverlay(pipeline!, 'dev');
  expect(tasks.map(({ replicas }) => replicas?.max)).toEqual([2, 2]);
});

test('the examples of docs/limits.md are valid, and ask for what they say', () => {
  const { pipelines, problems } = compilePipelines(
    examplesOf('docs/limits.md', 'yaml').map((text, index) => ({ file: `p${index}.yaml`, text })),
  );
  expect([...problems.values()]).toEqual([]);
  const large = withOverlay(
    pipelines.find(({ name }) => name === 'train-large')!,
    'dev',
  );
  expect(large.tasks.map(({ id, resources }) => [id, resources])).toEqual(
    ['load', 'train', 'report'].map((id) => [id, { cpu: 1, memory: 512 * 2 ** 20, gpu: 0 }]),
  );
});

describe('docs/pipeline-file.md', () => {
  test('its examples are valid', () => {
    const [pipeline, , , , lake, environment] = blocks;
    expect(parsePipeline('churn-model.yaml', pipeline ?? '').problems).toEqual([]);
    expect(parsePipeline('orders-sums.yaml', lake ?? '').problems).toEqual([]);
    expect(parseEnvironment('dev.yaml', environment ?? '', '/project').problems).toEqual([]);
  });

  test('its parts and its pipeline are the tasks that it says', () => {
    const [, part = '', all = '', orders = ''] = blocks;
    const { pipelines, problems } = compilePipelines([
      { file: 'parts/_load.yaml', text: part },
      { file: '_all.yaml', text: all },
      { file: 'orders.yaml', text: orders },
    ]);
    expect([...problems]).toEqual([]);
    const names = pipelines[0]?.tasks.map(({ id }) => `\`${id}\``);
    expect(page).toContain(`the tasks ${names?.join(', ').replace(/, ([^,]*)$/, ' and $1')}:`);
    expect(pipelines[0]?.tasks.find(({ id }) => id === 'load')).toMatchObject({
      env: { LEVEL: 'info', AREA: 'eu' },
      timeoutMs: 7_200_000,
      retries: { max: 2 },
      origin: ['orders.yaml:6', 'parts/_load.yaml:5'],
    });
  });

  describe('its table of clock changes is what happens', () => {
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' });
    const shown = (schedule: string, day: string): string[] => {
      const text = `name: p\ntasks: { a: { run: x } }\nschedule: { ${schedule}, timezone: Europe/Berlin, run: at_start }\n`;
      const { pipeline, problems } = parsePipeline('p.yaml', text);
      expect(problems).toEqual([]);
      const from = new Date(`${day}T00:00:00+0${day.includes('03') ? 1 : 2}:00`);
      const fires = intervalsBetween(pipeline!.schedule, from, from, new Date(from.getTime() + 8 * 3_600_000), 100);
      return fires.map(({ start }) => clock.format(start)).filter((time) => time <= '04:00');
    };
    const at = (day: string, more = ''): string => `at: ${day}T02:30${more}`;
    const rows: [row: string, march: [string, ...string[]], october: [string, ...string[]]][] = [
      ['`30 2 * * *`', ['cron: "30 2 * * *"', '03:00'], ['cron: "30 2 * * *"', '02:30']],
      ['`fold: second`, `both`', ['cron: "30 2 * * *"', '03:00'], ['cron: "30 2 * * *", fold: both', '02:30', '02:30']],
      ['`30 2 * * *` with `gap: skip`', ['cron: "30 2 * * *", gap: skip'], ['cron: "30 2 * * *", gap: skip', '02:30']],
      ['`0 2,3 * * *`', ['cron: "0 2,3 * * *"', '03:00'], ['cron: "0 2,3 * * *"', '02:00', '03:00']],
      [
        '`0 * * * *`',
        ['cron: "0 * * * *"', '00:00', '01:00', '03:00', '04:00'],
        ['cron: "0 * * * *"', '00:00', '01:00', '02:00', '02:00', '03:00', '04:00'],
      ],
      ['`*/30 2 * * *`', ['cron: "*/30 2 * * *"'], ['cron: "*/30 2 * * *"', '02:00', '02:30', '02:00', '02:30']],
      [
        '`0 */2 * * *`',
        ['cron: "0 */2 * * *"', '00:00', '04:00'],
        ['cron: "0 */2 * * *"', '00:00', '02:00', '02:00', '04:00'],
      ],
      [
        '`["0 2 * * *", "0 * * * *"]`',
        ['cron: ["0 2 * * *", "0 * * * *"]', '00:00', '01:00', '03:00', '04:00'],
        ['cron: ["0 2 * * *", "0 * * * *"]', '00:00', '01:00', '02:00', '02:00', '03:00', '04:00'],
      ],
      ['`at: 2026-03-29T02:30`', [at('2026-03-29'), '03:00'], [at('2026-10-25'), '02:30']],
      [
        '(`gap: skip`: not at all)',
        [at('2026-03-29', ', gap: skip')],
        [at('2026-10-25', ', fold: both'), '02:30', '02:30'],
      ],
      ['`every: 6h`', ['every: 6h, start: 2026-03-28T18:00', '00:00'], ['every: 6h, start: 2026-10-24T18:00', '00:00']],
    ];
    test.each(rows)('%s', (row, [march, ...inMarch], [october, ...inOctober]) => {
      expect(page).toContain(row);
      expect(shown(march, '2026-03-29')).toEqual(inMarch);
      expect(shown(october, '2026-10-25')).toEqual(inOctober);
    });
  });
});

describe('docs/task-kinds.md', () => {
  const examples = examplesOf('docs/task-kinds.md', 'yaml');
  const plugin = '# dags/plugins/greet/plugin.yaml\n';

  test('its pipelines are valid', () => {
    const shipped = ['dbt', 'mlflow'].map((name) => `plugins/${name}/plugin.yaml`);
    const files = [
      ...examples.map((text, index) => ({
        file: text.startsWith(plugin) ? 'plugins/greet/plugin.yaml' : `p${index}.yaml`,
        text,
      })),
      ...shipped.map((file) => ({ file, text: readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8') })),
    ];
    const { pipelines, problems } = compilePipelines(files);
    expect([...problems.values()]).toEqual([]);
    expect(pipelines).toHaveLength(examples.length - 1);
  });
});

test('docs/triggers.md: its pipelines are valid together', () => {
  const files = examplesOf('docs/triggers.md', 'yaml').map((text, index) => ({ file: `p${index}.yaml`, text }));
  const sources = ['orders', 'rates'].map((name) => ({
    file: `${name}.yaml`,
    text: `name: ${name}\npaths: { raw: raw, eur: eur, usd: usd }\ntasks: { load: { run: x, writes: [raw, eur, usd] } }`,
  }));
  const { pipelines, problems } = compilePipelines([...files, ...sources]);
  expect([...problems.values()].flat()).toEqual([]);
  expect(pipelines.map(({ name }) => name)).toEqual(['clean-up', 'intake', 'orders', 'rates', 'revenue']);
});

test('the script of docs/from-airflow.md is the one that the exports under test were made with', () => {
  const script = new URL('import-airflow/fixtures/export_dags.py', import.meta.url);
  expect(examplesOf('docs/from-airflow.md', 'python')).toEqual([readFileSync(script, 'utf8')]);
});
