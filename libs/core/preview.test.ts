import { describe, expect, test } from '@jest/globals';
import { checkPreviewName, declaredEnvironment, previewParts, previewStorage } from './preview.ts';

describe('a preview', () => {
  test('is named by its parent and its own name', () => {
    expect(previewParts('dev/pr-123')).toEqual({ parent: 'dev', name: 'pr-123' });
    expect(previewParts('dev')).toBeNull();
    expect([declaredEnvironment('dev/pr-123'), declaredEnvironment('dev')]).toEqual(['dev', 'dev']);
  });

  test.each(['pr-123', '1', 'a.b_c-d', 'x'.repeat(63)])('may be called %s', (name) => {
    expect(checkPreviewName(name)).toBe(name);
  });

  test.each(['', '.', '..', '-a', 'a/b', 'a..b', 'a.', 'PR-1', 'a b', 'a\n', '../x', 'x'.repeat(64), 'ä'])(
    'may not be called %j',
    (name) => {
      expect(() => checkPreviewName(name)).toThrow(/cannot be the name of a preview/);
      expect(() => previewStorage({ storage: 'file:///dev' }, name)).toThrow();
    },
  );

  test('keeps its data within the storage of its parent', () => {
    expect(previewStorage({ storage: 'file:///data/dev' }, 'pr-1')).toBe('file:///data/dev/previews/pr-1');
    expect(previewStorage({ storage: 's3://bucket/dev/' }, 'pr-1')).toBe('s3://bucket/dev/previews/pr-1');
  });
});
