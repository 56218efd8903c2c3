import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectStore } from '#core';

export interface ObjectStoreUnderTest {
  readonly objects: ObjectStore;
  dispose(): Promise<void>;
}

/** What every store of objects promises; each kind runs it with its own `make`. */
export function objectStoreConformance(kind: string, make: () => Promise<ObjectStoreUnderTest>): void {
  describe(`objects in ${kind}`, () => {
    let under: ObjectStoreUnderTest;
    let objects: ObjectStore;
    beforeEach(async () => {
      under = await make();
      ({ objects } = under);
    });
    afterEach(() => under.dispose());

    test('bytes and texts come back as they were put, empty ones too, and the last put wins', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      await objects.put('blobs/aa/bytes', bytes);
      await objects.put('text', 'ü\n');
      await objects.put('text', 'ö');
      await objects.put('empty', '');
      expect(await objects.get('blobs/aa/bytes')).toEqual(bytes);
      expect((await objects.get('text'))?.toString('utf8')).toBe('ö');
      expect(await objects.get('empty')).toEqual(Buffer.alloc(0));
      expect(await objects.get('nothing')).toBeNull();
      expect(await objects.sizes(['text', 'nothing', 'empty', 'blobs/aa/bytes'])).toEqual([2, null, 0, 5]);
    });

    test('a listing holds everything below the folder and nothing beside it, however many, with size and time', async () => {
      const before = Date.now() - 60_000;
      const names = Array.from({ length: 25 }, (_, index) => `in/${index % 3}/${index} ä&<"'+=%2F.x`);
      for (const name of names) await objects.put(name, 'abc');
      await objects.put('inside', 'x');
      await objects.put('other/in/x', 'x');
      const found = await objects.list('in');
      expect(found.map(({ key }) => key).sort()).toEqual([...names].sort());
      expect(found.every(({ bytes, changedAt }) => bytes === 3 && changedAt > before)).toBe(true);
      expect(await objects.list('nowhere')).toEqual([]);
    });

    test('what was removed is gone; removing it again is no error', async () => {
      await objects.put('a/b', 'x');
      await objects.remove('a/b');
      await objects.remove('a/b');
      expect(await objects.get('a/b')).toBeNull();
      expect(await objects.list('a')).toEqual([]);
    });

    test('many at once put the same and each finds it whole', async () => {
      const content = 'x'.repeat(100_000);
      await Promise.all(Array.from({ length: 8 }, () => objects.put('same', content)));
      expect((await objects.get('same'))?.toString('utf8')).toBe(content);
    });

    test.each(['..', '../x', 'a/../../x', '/etc/passwd', 'a//b', './a', 'a\0b', 'a\nb', 'a\\b', ''])(
      'the key %j is refused',
      async (key) => {
        for (const ask of [
          () => objects.get(key),
          () => objects.put(key, 'x'),
          () => objects.sizes([key]),
          () => objects.list(key),
          () => objects.remove(key),
        ])
          await expect((async () => ask())()).rejects.toMatchObject({ code: 'bad_request' });
      },
    );
  });
}
