import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { BROKEN_TEXTS } from './fixtures/broken-texts.ts';
import { BASE, BROKEN_VALUES, withValue } from './fixtures/broken-values.ts';
import { parsePipeline } from './index.ts';

/** CPU time that refusing one file may take; wall time would measure the neighbours. */
const MOST_MS = 200;

const corpus = [...Object.entries(BROKEN_TEXTS), ...BROKEN_VALUES];

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('broken files', () => {
  test('the file they are made from is fine', () => {
    expect(parsePipeline('base.yaml', stringify(BASE)).problems).toEqual([]);
  });

  test('there are more than three hundred', () => {
    expect(corpus.length).toBeGreaterThan(300);
    expect(new Set(corpus.map(([, text]) => text)).size).toBeGreaterThan(300);
  });

  test.each(corpus)('%s: refused in time, with place and remedy', (_name, text) => {
    const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    let result = parsePipeline('warm.yaml', 'name: warm');
    let took = Infinity;
    // The best of three: collecting somebody else's garbage is not the work of refusing this file.
    for (let attempt = 0; attempt < 3 && took >= MOST_MS; attempt += 1)
      took = cpuMs(() => (result = parsePipeline('broken.yaml', text)));
    expect(took).toBeLessThan(MOST_MS);
    expect(result.pipeline).toBeNull();
    expect(result.problems.length).toBeGreaterThan(0);
    const lines = text.length > 5_000_000 ? null : text.split('\n');
    for (const problem of result.problems) {
      expect(problem.file).toBe('broken.yaml');
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.column).toBeGreaterThanOrEqual(1);
      if (lines !== null) {
        expect(problem.line).toBeLessThanOrEqual(lines.length);
        expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1] ?? '').length + 2);
      }
      expect(problem.message).toMatch(/\S.*\.$/s);
      expect(problem.message.length).toBeLessThan(5_000);
      expect(problem.hint).toMatch(/\S.*[.?]$/s);
      // Nothing that could move a terminal's cursor or turn the reading direction.

      expect(problem.message + problem.hint).not.toMatch(/[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/);
    }
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('names that every object has', () => {
  const places = [...new Set(BROKEN_VALUES.map(([name]) => name.split(' = ')[0] ?? ''))].filter(
    (name) => !name.includes(' '),
  );
  const NAMES = ['constructor', 'toString'];

  test.each(places)('%s: are names like any other', (place) => {
    for (const name of NAMES) {
      for (const value of [
        name,
        [name],
        { [name]: name },
        { [name]: { [name]: name } },
        `\${{ ${name} }}`,
        `params.${name}`,
      ]) {
        const { pipeline, problems } = parsePipeline('p.yaml', withValue(place, value));
        expect(pipeline === null).toBe(problems.length > 0);
        for (const { message, hint } of problems) expect(typeof message + typeof hint).toBe('stringstring');
      }
    }
  });
});

describe('damaged files', () => {
  const text = stringify(BASE);
  const PIECES = [
    '',
    '\n',
    '  ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!x ',
    '|',
    '${{',
    '}}',
    ' ${{ ds }}',
    '\t',
    '\0',
    '?',
    '%',
    '---\n',
    '0',
    '$(',
    'é',
    '\ud800',
  ];
  const edit = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(12),
    insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6, unit: 'binary' })),
  });

  test('any edits of a good file end in a pipeline or in problems with places, never in an exception or a long wait', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let damaged = text;
        for (const { at, remove, insert } of edits)
          damaged = damaged.slice(0, at) + insert + damaged.slice(at + remove);
        let took = Infinity;
        let result = parsePipeline('warm.yaml', '');
        for (let attempt = 0; attempt < 3 && took >= MOST_MS; attempt += 1)
          took = cpuMs(() => (result = parsePipeline('damaged.yaml', damaged)));
        expect(took).toBeLessThan(MOST_MS);
        expect(result.pipeline === null).toBe(result.problems.length > 0);
        const lines = damaged.split('\n').length;
        for (const { line, column, hint } of result.problems) {
          expect(line >= 1 && line <= lines && column >= 1).toBe(true);
          expect(hint).toMatch(/\S/);
        }
      }),
      { numRuns: 150 },
    );
  });
});
