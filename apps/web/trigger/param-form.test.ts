import { describe, expect, test } from '@jest/globals';
import { paramFields, parseParam, type ParamField } from './param-form.ts';

const field = (schema: Record<string, unknown>): ParamField => {
  const [one] = paramFields({ p: schema });
  if (one === undefined) throw new Error('no field');
  return one;
};

describe('a parameter as a field', () => {
  test.each([
    [{ type: 'number', default: 1 }, 'number', '1', false],
    [{ type: 'integer' }, 'integer', '', true],
    [{ type: 'boolean', default: false }, 'boolean', 'false', false],
    [{ type: 'string', default: '' }, 'text', '', false],
    [{ type: 'array', default: ['a'] }, 'json', '["a"]', false],
    [{ default: { k: 1 } }, 'json', '{"k":1}', false],
    [{ enum: ['full', 'quick'], default: 'full' }, 'choice', 'full', false],
  ])('%j', (schema, kind, initial, required) => {
    expect(field(schema)).toMatchObject({ kind, initial, required });
  });
});

describe('what was typed', () => {
  test('becomes the value of the declared type', () => {
    expect(parseParam(field({ type: 'number' }), '0.25')).toEqual({ ok: true, value: 0.25 });
    expect(parseParam(field({ type: 'boolean', default: false }), 'true')).toEqual({ ok: true, value: true });
    expect(parseParam(field({ type: 'array' }), '["UA"]')).toEqual({ ok: true, value: ['UA'] });
    expect(parseParam(field({ type: 'string' }), '007')).toEqual({ ok: true, value: '007' });
  });

  test('a choice keeps the type it was declared with', () => {
    const choice = field({ enum: [1, '1', 'x'] });
    expect(choice.choices.map((one) => one.text)).toEqual(['1', '1', 'x']);
    expect(parseParam(choice, 'x')).toEqual({ ok: true, value: 'x' });
    expect(parseParam(choice, 'y')).toMatchObject({ ok: false });
  });

  test.each([
    [{ type: 'integer' }, '', 'needs a value'],
    [{ type: 'integer' }, '1.5', 'is not a whole number'],
    [{ type: 'number', minimum: 0 }, '-1', 'is below 0'],
    [{ type: 'number', maximum: 1 }, '2', 'is above 1'],
    [{ type: 'number' }, 'abc', 'is not a number'],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'A', 'does not match ^[a-z]+$'],
    [{ type: 'object' }, '{', 'is not JSON: write ["a", "b"] or {"key": 1}'],
  ])('%j given %p: %s', (schema, typed, message) => {
    expect(parseParam(field(schema), typed)).toEqual({ ok: false, message });
  });

  test('nothing typed where there is a default means the default', () => {
    expect(parseParam(field({ type: 'number', default: 3 }), '')).toEqual({ ok: true, value: undefined });
  });

  test('a pattern this engine does not know is left to the server', () => {
    expect(parseParam(field({ type: 'string', pattern: '(?i)x' }), 'X')).toEqual({ ok: true, value: 'X' });
  });
});
