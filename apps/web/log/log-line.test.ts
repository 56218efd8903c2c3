import { describe, expect, test } from '@jest/globals';
import {
  cleanLine,
  formatLines,
  isProtocol,
  levelOf,
  lineSpans,
  markMatches,
  parseLines,
  plainLine,
} from './log-line.ts';

const ESC = '\x1b';

describe('a log line', () => {
  test('keeps colours and loses everything else that a terminal would obey', () => {
    expect(cleanLine(`${ESC}[2J${ESC}[H${ESC}[31mred${ESC}[0m${ESC}[?25l${ESC}(B${ESC}[>4;2m done`)).toBe(
      `${ESC}[31mred${ESC}[0m done`,
    );
  });

  test('loses titles and links whatever their ending, even when the ending is missing', () => {
    expect(plainLine(`a${ESC}]0;evil title\x07b`)).toBe('ab');
    expect(plainLine(`${ESC}]8;;javascript:alert(1)${ESC}\\click${ESC}]8;;${ESC}\\`)).toBe('click');
    expect(plainLine(`a${ESC}]52;c;cm0gLXJm`)).toBe('a');
    expect(plainLine(`a${ESC}Pq#0${ESC}\\b`)).toBe('ab');
    expect(plainLine('a\x9d0;title\x9cb')).toBe('ab');
  });

  test('shows what the last carriage return left, as a terminal does', () => {
    expect(plainLine('10 %\r50 %\r100 %')).toBe('100 %');
    expect(plainLine('windows line\r')).toBe('windows line');
  });

  test('shows characters that reorder text instead of obeying them', () => {
    expect(plainLine('user\u202e nimda')).toBe('user\ufffd nimda');
  });

  test('never carries a control character into the page', () => {
    const every = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
    for (const span of lineSpans(`${every}${ESC}[31m${every}`))
      expect([...span.text].every((letter) => letter === '\t' || (letter >= ' ' && !/[\x7f-\x9f]/.test(letter)))).toBe(
        true,
      );
  });

  test('becomes spans with the names of the theme and with mixed true colours', () => {
    expect(lineSpans(`plain ${ESC}[1;91mbad${ESC}[0m ${ESC}[38;2;80;160;255mblue${ESC}[0m`)).toEqual([
      { text: 'plain ' },
      { text: 'bad', color: 'var(--ansi-red)', bold: true },
      { text: ' ' },
      { text: 'blue', color: 'color-mix(in oklab, rgb(80 160 255) 50%, var(--text))' },
    ]);
  });

  test('knows the 256 colours: cube and greys', () => {
    expect(lineSpans(`${ESC}[38;5;208ma${ESC}[38;5;232mb`).map((span) => span.color)).toEqual([
      'color-mix(in oklab, rgb(255 135 0) 50%, var(--text))',
      'color-mix(in oklab, rgb(8 8 8) 50%, var(--text))',
    ]);
  });

  test('keeps markup as text', () => {
    expect(lineSpans('<img src=x onerror=alert(1)>')).toEqual([{ text: '<img src=x onerror=alert(1)>' }]);
  });

  test('is cut over all its spans', () => {
    expect(lineSpans(`abc${ESC}[32mdef`, 4).map((span) => span.text)).toEqual(['abc', 'd']);
  });
});

describe('the level of a line', () => {
  test.each([
    ['2026-01-01 10:00:00 ERROR could not read', 'error'],
    ['WARN  plateau', 'warn'],
    ['[info] started', 'info'],
    ['{"time":"…","level":"error","msg":"x"}', 'error'],
    ['level=debug step=3', 'debug'],
    ['Traceback (most recent call last):', 'error'],
    ['read 12 rows, 0 error rows', null],
    ['fit tree 17', null],
  ])('%s is %s', (line, level) => {
    expect(levelOf(line)).toBe(level);
  });

  test('lines by which a task talks to Sluice are told apart', () => {
    expect(isProtocol('::metric name=auc value=0.91::')).toBe(true);
    expect(isProtocol('::metrics are great::')).toBe(false);
    expect(isProtocol('see ::metric name=auc value=1::')).toBe(false);
  });
});

describe('matches', () => {
  test('are found across spans, ignoring case, and keep the style they cover', () => {
    expect(markMatches([{ text: 'Hel' }, { text: 'LO hello', bold: true }], 'hello')).toEqual([
      { text: 'Hel', match: true },
      { text: 'LO', bold: true, match: true },
      { text: ' ', bold: true },
      { text: 'hello', bold: true, match: true },
    ]);
  });

  test('leave the line alone when there is nothing to look for', () => {
    expect(markMatches([{ text: 'a' }], '')).toEqual([{ text: 'a' }]);
  });
});

describe('links to lines', () => {
  test('name a line or a range in either order', () => {
    expect(parseLines('#L120-L140')).toEqual({ from: 120, to: 140 });
    expect(parseLines('L140-L120')).toEqual({ from: 120, to: 140 });
    expect(parseLines('L7')).toEqual({ from: 7, to: 7 });
    expect(formatLines(140, 120)).toBe('L120-L140');
    expect(formatLines(7, 7)).toBe('L7');
  });

  test.each(['', 'L', 'L-3', 'code=abc', 'L1-', 'L99999999999'])('anything else is no link: %p', (hash) => {
    expect(parseLines(hash)).toBeNull();
  });
});
