import { describe, expect, test } from '@jest/globals';
import { explainSchema } from './explain-schema.ts';
import { schemaPart } from './schema-part.ts';

const RETRIES = {
  description: 'How often a task is tried again. Off unless set.',
  anyOf: [
    { type: 'integer', minimum: 0, maximum: 100 },
    {
      type: 'object',
      properties: {
        max: { type: 'integer', description: 'Number of retries.' },
        delay: { $ref: '#/definitions/duration' },
      },
    },
  ],
  default: 0,
};
const ROOT = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: '^[a-z]+$' },
    tasks: { type: 'object', additionalProperties: { $ref: '#/definitions/task' } },
    alerts: {
      type: 'array',
      items: { type: 'object', properties: { to: { type: 'array', items: { type: 'string' } } } },
    },
    schedule: { anyOf: [{ const: 'manual' }, { type: 'object', properties: { gap: { enum: ['next', 'skip'] } } }] },
  },
  definitions: {
    task: { type: 'object', properties: { retries: RETRIES, run: { type: 'string' } } },
    duration: { type: 'string', description: 'Such as 1h30m.' },
  },
};

describe('schemaPart', () => {
  test('the empty path is the whole schema', () => expect(schemaPart(ROOT, '')).toBe(ROOT));

  test('the key of a map may be given or left out', () => {
    expect(schemaPart(ROOT, 'tasks.run')).toEqual({ type: 'string' });
    expect(schemaPart(ROOT, 'tasks.ingest.run')).toEqual({ type: 'string' });
  });

  test('alternatives, lists and references are walked through', () => {
    expect(schemaPart(ROOT, 'schedule.gap')).toEqual({ enum: ['next', 'skip'] });
    expect(schemaPart(ROOT, 'alerts.to')).toMatchObject({ type: 'array' });
    expect(schemaPart(ROOT, 'alerts.0.to')).toMatchObject({ type: 'array' });
    expect(schemaPart(ROOT, 'tasks.retries.delay')).toMatchObject({ definitions: ROOT.definitions });
  });

  test('a part that refers to definitions brings them along', () => {
    expect(schemaPart(ROOT, 'tasks.retries')).toEqual({ ...RETRIES, definitions: ROOT.definitions });
    expect(schemaPart(ROOT, 'name')).toEqual(ROOT.properties.name);
  });

  test.each([
    ['taks', 'A pipeline file has no field "taks".', 'It has: alerts, name, schedule, tasks.'],
    ['tasks.retries.often', '"tasks.retries" has no field "often".', 'It has: delay, max.'],
    ['name.x', '"name" has no field "x".', 'It has no fields.'],
    ['__proto__', 'A pipeline file has no field "__proto__".', 'It has: alerts, name, schedule, tasks.'],
  ])('%s is refused, with what there is', (path, message, hint) => {
    expect(() => schemaPart(ROOT, path)).toThrow(expect.objectContaining({ code: 'not_found', message, hint }));
  });
});

test('explain says what a field takes, its default and the fields inside', () => {
  expect(explainSchema('tasks.retries', schemaPart(ROOT, 'tasks.retries')).join('\n')).toBe(
    [
      'tasks.retries',
      '  How often a task is tried again. Off unless set.',
      '',
      '  takes    integer (≥ 0, ≤ 100) | map with the fields below',
      '  default  0',
      '',
      '  fields',
      '    max    Number of retries.',
      '    delay  Such as 1h30m.',
    ].join('\n'),
  );
});
