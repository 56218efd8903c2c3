import { describe, expect, test } from '@jest/globals';
import { parseMarkdown } from './parse-markdown.ts';

describe('a summary in markdown', () => {
  test('has headings, paragraphs, lists, tables, code and rules', () => {
    const text =
      '# Title\n\nTwo\nlines\n\n- a\n- **b**\n\n1. x\n\n| m | v |\n| --- | --- |\n| auc | 0.7 |\n\n```\ncode\n```\n---';
    expect(parseMarkdown(text).map((block) => block.kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'list',
      'table',
      'code',
      'rule',
    ]);
  });

  test('HTML stays text', () => {
    expect(parseMarkdown('<script>alert(1)</script>')).toEqual([
      { kind: 'paragraph', text: [{ kind: 'text', text: '<script>alert(1)</script>' }] },
    ]);
  });

  test('links lead to http and https only', () => {
    const [block] = parseMarkdown('[a](https://x.example/y) [b](javascript:alert(1)) [c](data:text/html,x) [d](//x)');
    const links = block?.kind === 'paragraph' ? block.text.filter((one) => one.kind === 'link') : [];
    expect(links).toEqual([{ kind: 'link', text: 'a', href: 'https://x.example/y' }]);
  });

  test.each(['', '\n\n', '```', '|', '[', '**', '- ', '#', '|a|\n|-|', '`'.repeat(5000), '*a '.repeat(5000)])(
    'ends on anything: %#',
    (text) => {
      expect(Array.isArray(parseMarkdown(text))).toBe(true);
    },
  );
});
