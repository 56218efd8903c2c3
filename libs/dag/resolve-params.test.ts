import { describe, expect, test } from '@jest/globals';
import type { EnvironmentConfig } from '#core';
import {
  canonicalJson,
  expandMatrix,
  parseEnvironment,
  parsePipeline,
  pipelineJsonSchema,
  resolveParams,
  withOverlay,
} from './index.ts';

const { pipeline } = parsePipeline(
  'p.yaml',
  `
name: p
params:
  rate: { type: number, default: 0.5, minimum: 0, maximum: 1 }
  count: { type: integer, default: 1 }
  dry: { type: boolean, default: false }
  mode: { type: string, enum: [fast, slow], default: fast }
  parts: { type: array, items: { type: integer }, default: [] }
  code: { type: string, pattern: "^(a+)+$", default: a }
  any: {}
  needed: { type: string }
pool_is_below: null
tasks: { a: { run: x }, b: { run: x, pool: gpu } }
environments:
  dev: { schedule: manual, paused: true, params: { rate: 0.2 }, pool: small, alerts: [{ on: run.failed, to: "slack:#dev" }] }
`.replace('pool_is_below: null\n', ''),
);

function environment(params: Record<string, unknown>, name = 'test'): EnvironmentConfig {
  const parsed = parseEnvironment('e.yaml', JSON.stringify({ name, storage: '/d', params }), '/');
  if (parsed.environment === null) throw new Error('broken environment');
  return parsed.environment;
}

function resolved(given: Record<string, unknown>, config = environment({})) {
  return resolveParams(pipeline!, config, { needed: 'x', any: 1, ...given });
}

describe('parameters', () => {
  test('trigger before overlay before environment file before default', () => {
    const rate = (given: Record<string, unknown>, config: EnvironmentConfig): unknown => {
      const result = resolved(given, config);
      return result.ok ? result.params.rate : result.problems;
    };
    expect(rate({}, environment({}))).toBe(0.5);
    expect(rate({}, environment({ rate: 0.3 }))).toBe(0.3);
    expect(rate({}, environment({ rate: 0.3 }, 'dev'))).toBe(0.2);
    expect(rate({ rate: 0.1 }, environment({ rate: 0.3 }, 'dev'))).toBe(0.1);
  });

  test('text from a command line becomes what the schema asks for', () => {
    const given = { rate: '0.25', count: '7', dry: 'true', mode: 'slow', parts: '[1, 2]', needed: '5' };
    expect(resolved(given)).toEqual({
      ok: true,
      params: { rate: 0.25, count: 7, dry: true, mode: 'slow', parts: [1, 2], code: 'a', any: 1, needed: '5' },
    });
  });

  test.each<[Record<string, unknown>, string[]]>([
    [{ rat: 1 }, ['Pipeline "p" has no parameter "rat". Did you mean "rate"?']],
    [{ zzz: 1 }, ['Pipeline "p" has no parameter "zzz". It has rate, count, dry, mode, parts, code, any, needed.']],
    [
      { ['__proto__']: 1 },
      ['Pipeline "p" has no parameter "__proto__". It has rate, count, dry, mode, parts, code, any, needed.'],
    ],
    [{ rate: 2 }, ['Parameter "rate" is 2; expected at most 1.']],
    [{ rate: 'much' }, ['Parameter "rate" is "much"; expected a number.']],
    [{ rate: null }, ['Parameter "rate" is null; expected a number.']],
    [{ count: 1.5 }, ['Parameter "count" is 1.5; expected a whole number.']],
    [{ dry: 'yes' }, ['Parameter "dry" is "yes"; expected a boolean.']],
    [{ mode: 'warp' }, ['Parameter "mode" is "warp"; expected one of "fast", "slow".']],
    [{ parts: [1, 'x'] }, ['Parameter "parts" is a list at /1; it must be integer.']],
    [{ parts: '[1' }, ['Parameter "parts" is "[1"; it must be array.']],
    [{ needed: undefined }, ['Parameter "needed" of pipeline "p" has no default and was not given.']],
  ])('%j is refused', (given, problems) => {
    expect(resolved(given)).toEqual({ ok: false, problems });
  });

  test('each parameter is judged by its own pattern', () => {
    const text =
      'name: q\nparams:\n  a: { type: string, pattern: "^[0-9]$" }\n  b: { type: string, pattern: "^[a-z]$" }\ntasks: { t: { run: x } }';
    const other = parsePipeline('q.yaml', text).pipeline!;
    expect(resolveParams(other, environment({}), { a: '1', b: 'x' })).toMatchObject({ ok: true });
    expect(resolveParams(other, environment({}), { a: 'x', b: '1' })).toMatchObject({
      problems: [expect.stringContaining('"^[0-9]$"'), expect.stringContaining('"^[a-z]$"')],
    });
  });

  test('a pattern meets values from outside in linear time', () => {
    const started = process.cpuUsage();
    expect(resolved({ code: `${'a'.repeat(5_000)}!` })).toMatchObject({ ok: false });
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(500);
  });
});

describe('overlays', () => {
  test('change schedule, defaults, pool and alerts, and nothing else', () => {
    const dev = withOverlay(pipeline!, 'dev');
    expect(dev).toEqual({
      ...pipeline!,
      schedule: { kind: 'manual' },
      params: { ...pipeline!.params, rate: { ...pipeline!.params.rate, default: 0.2 } },
      tasks: pipeline!.tasks.map((task) => ({ ...task, pool: 'small' })),
      alerts: [{ on: ['run.failed'], to: ['slack:#dev'] }],
    });
    expect(withOverlay(pipeline!, 'prod')).toBe(pipeline);
    expect(withOverlay(pipeline!, 'constructor')).toBe(pipeline);
  });
});

describe('fan-out', () => {
  const keys = (axes: Record<string, readonly unknown[]>): string[] => {
    const expanded = expandMatrix({ kind: 'literal', axes }, () => undefined);
    return expanded.ok ? expanded.items.map(({ key }) => key) : [expanded.message];
  };

  test('the cross product, in the order of the lists, the last axis fastest', () => {
    expect(expandMatrix({ kind: 'literal', axes: { lr: [0.05, 0.1], depth: [4, 8] } }, () => undefined)).toEqual({
      ok: true,
      items: [
        { key: 'lr=0.05,depth=4', values: { lr: 0.05, depth: 4 } },
        { key: 'lr=0.05,depth=8', values: { lr: 0.05, depth: 8 } },
        { key: 'lr=0.1,depth=4', values: { lr: 0.1, depth: 4 } },
        { key: 'lr=0.1,depth=8', values: { lr: 0.1, depth: 8 } },
      ],
    });
  });

  test('keys are unique and safe as one folder, whatever the values', () => {
    const values = [
      '../../etc',
      '/',
      '..',
      '',
      'a b',
      'a/b',
      'a_b',
      'A_b',
      'ä',
      { x: [1] },
      null,
      true,
      1e21,
      'x'.repeat(500),
      'x'.repeat(501),
      '\0',
      'dup',
      'dup',
    ];
    const found = keys({ v: values });
    expect(new Set(found.map((key) => key.toLowerCase())).size).toBe(values.length);
    for (const key of found) {
      expect(key).toMatch(/^[A-Za-z0-9._+@=,#~-]+$/);
      expect(key.length).toBeLessThanOrEqual(140);
      expect(key).not.toMatch(/^\.+$/);
    }
  });

  test('dynamic axes are evaluated; what is not a list is a message', () => {
    const matrix = { kind: 'dynamic', axes: { i: { expr: 'tasks.a.outputs.items' }, j: { list: [1, 2] } } } as const;
    const expanded = expandMatrix(matrix, () => ['x', 'y']);
    expect(expanded.ok && expanded.items.map(({ key }) => key)).toEqual(['i=x,j=1', 'i=x,j=2', 'i=y,j=1', 'i=y,j=2']);
    expect(expandMatrix(matrix, () => [])).toEqual({ ok: true, items: [] });
    expect(expandMatrix(matrix, () => 'x')).toEqual({
      ok: false,
      message: 'Matrix axis "i" gives string; expected a list (expression `tasks.a.outputs.items`).',
    });
    expect(expandMatrix(matrix, () => Array(1_000_000))).toEqual({
      ok: false,
      message: 'The matrix makes 2000000 task runs; at most 1000000 are possible.',
    });
    const failing = expandMatrix(matrix, () => {
      throw new Error('no such key: items');
    });
    expect(failing).toEqual({ ok: false, message: 'Matrix axis "i" cannot be evaluated: no such key: items.' });
  });
});

describe('canonical JSON', () => {
  test.each<[unknown, string]>([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ '\u20ac': 1, '\r': 2, '1': 3, '\u{1f600}': 4, ö: 5, '\ufb33': 6 }, '{"\\r":2,"1":3,"ö":5,"€":1,"😀":4,"דּ":6}'],
    [[1e21, 1e-7, 0.1, -0, 333333333.33333329], '[1e+21,1e-7,0.1,0,333333333.3333333]'],
    [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
  ])('%j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('what JSON cannot hold is refused', () => {
    for (const value of [NaN, Infinity, 1n, () => 1]) expect(() => canonicalJson({ value })).toThrow('no JSON form');
  });
});

describe('JSON Schema of pipeline files', () => {
  test('is draft-07, names every key and refuses others', () => {
    const schema = pipelineJsonSchema() as {
      $schema: string;
      properties: object;
      additionalProperties: boolean;
      required: string[];
    };
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      additionalProperties: false,
      required: ['name'],
      anyOf: [{ required: ['tasks'] }, { required: ['extends'] }],
    });
    expect(Object.keys(schema.properties)).toEqual([
      'name',
      'extends',
      'description',
      'owner',
      'tags',
      'schedule',
      'max_active_runs',
      'max_active_tasks',
      'max_consecutive_failed_runs',
      'overlap',
      'run_timeout',
      'deadline',
      'params',
      'paths',
      'env',
      'defaults',
      'groups',
      'first',
      'tasks',
      'finally',
      'alerts',
      'environments',
    ]);
  });
});
