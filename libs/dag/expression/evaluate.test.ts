import { describe, expect, test } from '@jest/globals';
import { evaluate, renderTemplate, type Scope } from '../index.ts';

const scope: Scope = {
  params: { n: 3, rate: 0.5, name: "it's", list: [1, 2, 3], map: { a: 1 }, nothing: null, yes: true },
  env: { name: 'dev', vars: { region: 'eu' } },
  run: { id: 'r1', trigger: 'manual', release: 'abc', interval: null },
  tasks: { train: { state: 'success', outputs: [{ auc: 0.7 }, { auc: 0.9 }] } },
  metrics: { auc: 0.8 },
  baseline: {},
};

function value(expression: string): unknown {
  const result = evaluate(expression, scope);
  return result.ok ? result.value : new Error(result.message);
}

describe('evaluate', () => {
  test.each([
    ['1 + 2', 3],
    ['7 / 2', 3],
    ['params.n / 2', 1.5],
    ['params.n % 2 == 1', true],
    ['params.n + 1', 4],
    ['1 + params.rate', 1.5],
    ['2 * params.n - 0.5', 5.5],
    ['params.n == 3', true],
    ['params.n in [1, 2, 3]', true],
    ['params.n > 2.5 && params.yes', true],
    ['[1, 2.5, "x"]', [1, 2.5, 'x']],
    ['{"a": 1, "b": [2]}', { a: 1, b: [2] }],
    ['size(params.list)', 3],
    ['params.list[params.n - 1]', 3],
    ['params.list.map(x, x * 2)', [2, 4, 6]],
    ['params.list.filter(x, x > 1)', [2, 3]],
    ['params.list.exists(x, x == 2)', true],
    ['params.list.all(x, x > 0)', true],
    ['tasks.train.outputs.map(o, o.auc)', [0.7, 0.9]],
    ['tasks["train"].state', 'success'],
    ['has(baseline.auc)', false],
    ['!has(baseline.auc) || metrics.auc >= baseline.auc', true],
    ['params.nothing == null', true],
    ['env.vars.region + "-" + env.name', 'eu-dev'],
    ['"abc".matches("^a.c$")', true],
    ['timestamp("2026-01-01T00:00:00Z") + duration("1h")', '2026-01-01T01:00:00.000Z'],
    ['duration("90s")', '90s'],
    ['params.n > 2 ? "big" : "small"', 'big'],
    ['run.interval == null', true],
  ])('%s', (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  test.each([
    [
      'ds',
      'Expression `ds` cannot be evaluated: "ds" needs a data interval and this run has none; start it with one (--at, or --from and --to).',
    ],
    ['outputs.rows', 'Expression `outputs.rows` cannot be evaluated: "outputs" is not known here.'],
    ['params.nope', 'Expression `params.nope` cannot be evaluated: no such key: nope.'],
    [
      'params.list[9]',
      'Expression `params.list[9]` cannot be evaluated: no such key: index out of bounds, index 9 >= size 3.',
    ],
    ['params.name + 1', 'Expression `params.name + 1` cannot be evaluated: operator does not apply: string + int.'],
    ['1 / 0', 'Expression `1 / 0` cannot be evaluated: division by zero.'],
    ['params.n / 0', 'Expression `params.n / 0` cannot be evaluated: the result is Infinity, not a finite number.'],
    [
      '9007199254740993',
      'Expression `9007199254740993` cannot be evaluated: the integer 9007199254740993 is beyond 2^53.',
    ],
    ['nope(1)', "Expression `nope(1)` cannot be evaluated: there is no function 'nope(int)'."],
    ['type(1)', 'Expression `type(1)` cannot be evaluated: the result is neither text, number, boolean, list nor map.'],
    ['params.constructor', 'Expression `params.constructor` cannot be evaluated: no such key: constructor.'],
    ['params.__proto__', 'Expression `params.__proto__` cannot be evaluated: no such key: __proto__.'],
    ['', 'Expression `` cannot be evaluated: the expression is empty.'],
    ['(1', 'Expression `(1` cannot be evaluated: it ends too early.'],
  ])('%s is refused with a sentence', (expression, message) => {
    expect(evaluate(expression, scope)).toEqual({ ok: false, message });
  });

  test('a pattern that explodes elsewhere is matched in linear time', () => {
    const text = `${'a'.repeat(20_000)}!`;
    const started = process.cpuUsage();
    expect(evaluate('params.text.matches("^(a+)+$")', { ...scope, params: { text } })).toEqual({
      ok: true,
      value: false,
    });
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000);
  });

  test.each([
    'params.list.all(a, size(params.list.map(b, b)) > 0)',
    'size(params.list.map(a, params.list.filter(b, b < a))) > 0',
    'params.list.all(a, params.list.all(b, b >= 0))',
    'params.list.exists(a, params.list.exists(b, b < 0))',
  ])('%s over long lists ends with a message, not with the evening', (expression) => {
    const list = Array.from({ length: 20_000 }, (_, index) => index);
    const started = process.cpuUsage();
    const result = evaluate(expression, { ...scope, params: { list } });
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('more than 200000 rounds') });
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(2_000);
  });

  test('the budget of one evaluation is not that of the next', () => {
    const list = Array.from({ length: 150_000 }, () => 1);
    for (let count = 0; count < 3; count += 1)
      expect(evaluate('params.list.all(x, x == 1)', { ...scope, params: { list } })).toEqual({ ok: true, value: true });
  });

  test('results are new values: nobody changes the scope through them', () => {
    const result = value('params.map') as { a: number };
    result.a = 99;
    expect(scope.params.map).toEqual({ a: 1 });
  });
});

describe('renderTemplate', () => {
  test.each([
    ['raw/${{ params.n }}', 'raw/3'],
    ['${{ params.name }}', "it's"],
    ['a${{ params.yes }}b${{ params.rate }}', 'atrueb0.5'],
    ['${{ params.map }} ${{ params.list }}', '{"a":1} [1,2,3]'],
    ['${{ "}}" + "${{" }}', '}}${{'],
    ['${{ {"a": {"b": 1}}.a.b }}', '1'],
    ['no expression', 'no expression'],
    ['$${not} {{ours}}', '$${not} {{ours}}'],
  ])('%s', (text, expected) => {
    expect(renderTemplate(text, scope)).toEqual({ ok: true, value: expected });
  });

  test.each([
    ['${{ params.n', 'Text `${{ params.n` cannot be rendered: "${{" is never closed by "}}".'],
    [
      '${{ params.nothing }}',
      'Expression `params.nothing` is null, which has no text form; test for it: `x == null ? "" : string(x)`.',
    ],
    [
      '${{ "\\u0000" }}',
      'Expression `"\\u0000"` gives a text with a NUL character, which no variable can hold; use a file.',
    ],
  ])('%s is refused', (text, message) => {
    expect(renderTemplate(text, scope)).toEqual({ ok: false, message });
  });

  test('values over 100 KiB are refused with a remedy', () => {
    const long = { ...scope, params: { text: 'ä'.repeat(60_000) } };
    expect(renderTemplate('${{ params.text }}', long)).toEqual({
      ok: false,
      message: 'Expression `params.text` gives 120000 bytes; at most 102400 fit into a variable; use a file.',
    });
  });
});
