import { expect, test } from '@jest/globals';
import type { Schedule } from '#core';
import { previewAroundChanges, previewFires } from './preview.ts';

const nightly: Schedule = {
  kind: 'cron',
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin',
  gap: 'next',
  fold: 'both',
  start: null,
  end: null,
  catchup: { kind: 'none' },
};
const now = new Date('2026-01-10T12:00:00Z');

test('the next fires are shown as the clocks of their zone show them', () => {
  const [next] = previewFires(nightly, now, now, 1);
  expect(next).toMatchObject({ local: '2026-01-11 02:30', offset: '+01:00', clocks: null });
  expect(next?.at.toISOString()).toBe('2026-01-11T01:30:00.000Z');
  expect(previewFires({ kind: 'manual' }, now, now, 5)).toEqual([]);
});

test.each<['at_end' | 'at_start']>([['at_end'], ['at_start']])(
  'around the changes: what moved, and what is shown twice (%s)',
  (run) => {
    const schedule: Schedule = run === 'at_start' ? { ...nightly, run } : nightly;
    const lines = previewAroundChanges(schedule, now, 6).map(
      ({ local, offset, clocks }) => `${local} ${offset} ${clocks ?? ''}`,
    );
    expect(lines).toEqual([
      '2026-03-28 02:30 +01:00 ',
      '2026-03-29 03:00 +02:00 clocks went forward by 1h',
      '2026-03-30 02:30 +02:00 ',
      '2026-10-25 02:30 +02:00 shown twice, this is the first',
      '2026-10-25 02:30 +01:00 clocks went back by 1h; shown twice, this is the second',
    ]);
  },
);
