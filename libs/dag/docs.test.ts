import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { importAirflow } from './import-airflow/index.ts';
import { compilePipelines, intervalsBetween, parseEnvironment, parsePipeline, withOverlay } from './index.ts';

const page = readFileSync(new URL('../../docs/pipeline-file.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

test.each(['cache', 'checks'])('the example of docs/%s.md is valid', (name) => {
  const text = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
  const [example] = /(?<=```yaml\n)[\s\S]*?(?=```)/.exec(text) ?? [];
  expect(parsePipeline('churn.yaml', example ?? '').problems).toEqual([]);
});

test('the examples of docs/groups.md are valid', () => {
  const text = readFileSync(new URL('../../docs/groups.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/(?<=```yaml\n)[\s\S]*?(?=```)/g)].map(([example]) => example);
  expect(examples).toHaveLength(3);
  for (const example of examples) expect(parsePipeline('p.yaml', example).problems).toEqual([]);
});

test('the example of docs/replicas.md is valid, and asks for what it says', () => {
  const text = readFileSync(new URL('../../docs/replicas.md', import.meta.url), 'utf8');
  const [example = ''] = /(?<=```yaml\n)[\s\S]*?(?=```)/.exec(text) ?? [];
  const { pipeline, problems } = parsePipeline('p.yaml', example);
  expect(problems).toEqual([]);
  expect(pipeline?.tasks.map(({ replicas }) => replicas)).toEqual([
    { min: 2, max: 2 },
    { min: 2, max: 4 },
  ]);
  const { tasks } = withOverlay(pipeline!, 'dev');
  expect(tasks.map(({ replicas }) => replicas?.max)).toEqual([2, 2]);
});

test('the examples of docs/acting.md are valid', () => {
  const text = readFileSync(new URL('../../docs/acting.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/(?<=```yaml\n)[\s\S]*?(?=```)/g)].map(([example]) => example);
  expect(examples.map((example) => parsePipeline('p.yaml', example).problems)).toEqual([[], []]);
});

test('the examples of docs/limits.md are valid, and ask for what they say', () => {
  const text = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const { pipelines, problems } = compilePipelines(
    examples.map((file, index) => ({ file: `p${index}.yaml`, text: file })),
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
    expect(blocks).toHaveLength(6);
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
  const kinds = readFileSync(new URL('../../docs/task-kinds.md', import.meta.url), 'utf8');
  const examples = [...kinds.matchAll(/```yaml\n(name: [\s\S]*?)```/g)].map((match) => match[1] ?? '');

  test('its pipelines are valid', () => {
    const shipped = ['dbt', 'mlflow'].map((name) => `plugins/${name}/plugin.yaml`);
    const files = [
      ...examples.map((text, index) => ({ file: `p${index}.yaml`, text })),
      ...shipped.map((file) => ({ file, text: readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8') })),
      {
        file: 'plugins/greet/plugin.yaml',
        text: /# dags\/plugins\/greet\/plugin.yaml\n([\s\S]*?)```/.exec(kinds)?.[1] ?? '',
      },
    ];
    expect([...compilePipelines(files).problems.values()]).toEqual([]);
    expect(examples).toHaveLength(9);
  });
});

test('docs/triggers.md: its pipelines are valid together', () => {
  const triggers = readFileSync(new URL('../../docs/triggers.md', import.meta.url), 'utf8');
  const files = [...triggers.matchAll(/```yaml\n(name: ([a-z-]+)\n[\s\S]*?)```/g)].map(([, text = '', name]) => ({
    file: `${name}.yaml`,
    text,
  }));
  const sources = ['orders', 'rates'].map((name) => ({
    file: `${name}.yaml`,
    text: `name: ${name}\npaths: { raw: raw, eur: eur, usd: usd }\ntasks: { load: { run: x, writes: [raw, eur, usd] } }`,
  }));
  const { pipelines, problems } = compilePipelines([...files, ...sources]);
  expect([...problems.values()].flat()).toEqual([]);
  expect(pipelines.map(({ name }) => name)).toEqual(['clean-up', 'intake', 'orders', 'rates', 'revenue']);
});

describe('docs/from-airflow.md', () => {
  const guide = readFileSync(new URL('../../docs/from-airflow.md', import.meta.url), 'utf8');
  const examples = [...guide.matchAll(/```(?:yaml|python)\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

  test('its DAG becomes its pipeline', () => {
    const [, source, pipeline] = examples;
    const { files } = importAirflow([{ file: 'airflow-orders.yaml', text: source ?? '' }]);
    expect(files.map(({ path }) => path)).toEqual(['orders.yaml', 'orders/tasks.py']);
    expect(files[0]?.text).toBe(pipeline);
  });

  test('its script is the one that the exports under test were made with', () => {
    const script = new URL('import-airflow/fixtures/export_dags.py', import.meta.url);
    expect(examples[0]).toBe(readFileSync(script, 'utf8'));
  });
});
