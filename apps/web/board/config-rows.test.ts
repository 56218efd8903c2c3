import { describe, expect, test } from '@jest/globals';
import { configRows } from './config-rows.ts';

describe('configurations beside each other', () => {
  test('hold what differs somewhere, and where a diff is silent the value of the first', () => {
    const rows = configRows([
      { fields: [{ field: 'schedules', before: 'active', after: 'paused' }] },
      {
        fields: [
          { field: 'schedules', before: 'active', after: 'paused' },
          { field: 'pools.default', before: 8, after: 16 },
          { field: 'vars.region', after: 'eu' },
        ],
      },
    ]);
    expect(rows).toEqual([
      { field: 'pools.default', values: [8, 8, 16] },
      { field: 'schedules', values: ['active', 'paused', 'paused'] },
      { field: 'vars.region', values: [undefined, undefined, 'eu'] },
    ]);
  });

  test('of one environment are nothing', () => expect(configRows([])).toEqual([]));
});
