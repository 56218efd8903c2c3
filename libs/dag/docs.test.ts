import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { intervalsBetween, parseEnvironment, parsePipeline } from './index.ts';

const page = readFileSync(new URL('../../docs/pipeline-file.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

describe('docs/pipeline-file.md', () => {
  test('its examples are valid', () => {
    const [pipeline, environment] = blocks;
    expect(parsePipeline('churn-model.yaml', pipeline ?? '').problems).toEqual([]);
    expect(parseEnvironment('dev.yaml', environment ?? '', '/project').problems).toEqual([]);
    expect(blocks).toHaveLength(2);
  });

  test('its table of clock changes is what happens', () => {
    const shown = (schedule: string, day: string): string[] => {
      const { pipeline } = parsePipeline(
        'p.yaml',
        `name: p\ntasks: { a: { run: x } }\nschedule: { cron: "${schedule}", timezone: Europe/Berlin }\n`,
      );
      const from = new Date(`${day}T00:00:00+0${day.includes('03') ? 1 : 2}:00`);
      const fires = intervalsBetween(pipeline!.schedule, from, from, new Date(from.getTime() + 8 * 3_600_000), 100);
      const format = new Intl.DateTimeFormat('en-GB', {
        timeZone: 'Europe/Berlin',
        hour: '2-digit',
        minute: '2-digit',
      });
      return fires.map(({ start }) => format.format(start)).filter((time) => time <= '04:00');
    };
    const rows: [cron: string, march: string[], october: string[]][] = [
      ['30 2 * * *', ['03:00'], ['02:30']],
      ['0 2,3 * * *', ['03:00'], ['02:00', '03:00']],
      ['0 * * * *', ['00:00', '01:00', '03:00', '04:00'], ['00:00', '01:00', '02:00', '02:00', '03:00', '04:00']],
      ['*/30 2 * * *', [], ['02:00', '02:30', '02:00', '02:30']],
      ['0 */2 * * *', ['00:00', '04:00'], ['00:00', '02:00', '02:00', '04:00']],
    ];
    for (const [cron, march, october] of rows) {
      expect(page).toContain(`\`${cron}\``);
      expect([cron, shown(cron, '2026-03-29'), shown(cron, '2026-10-25')]).toEqual([cron, march, october]);
    }
  });
});
