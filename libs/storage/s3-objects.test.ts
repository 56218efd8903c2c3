import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { SluiceError } from '#core';
import { objectStoreConformance } from '../testing/object-store-conformance.ts';
import { S3_TEST_KEYS, S3TestServer, sha256 } from '../testing/s3-server.ts';
import { S3Objects } from './s3-objects.ts';

let server: S3TestServer;
let folder: string;
let roots = 0;
beforeAll(async () => {
  server = await S3TestServer.start({ pageKeys: 10 });
  folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-s3-objects-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
const bucket = (prefix = `objects-${++roots}`) => new S3Objects(`s3://test/${prefix}`, server.settings);

objectStoreConformance('a bucket', () => Promise.resolve({ objects: bucket(), dispose: () => Promise.resolve() }));

describe('objects in a bucket', () => {
  const file = async (name: string, content: Buffer): Promise<string> => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const failureOf = async (work: Promise<unknown>): Promise<SluiceError> => {
    const failure = await work.then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SluiceError);
    return failure as SluiceError;
  };

  test('a bucket without a prefix keeps its objects at the top', async () => {
    const objects = new S3Objects('s3://test', server.settings);
    await objects.put('at-the-top', 'x');
    expect(server.buckets.content('test', 'at-the-top')?.toString()).toBe('x');
    expect(objects.name).toBe('s3://test');
  });

  test.each([0, 5, 8 * 1024 * 1024, 20 * 1024 * 1024 + 7])('a file of %d bytes goes there and back', async (bytes) => {
    const objects = bucket();
    const content = randomBytes(bytes);
    const expected = { bytes, sha256: sha256(content) };
    await objects.putFile('f', await file(`up-${bytes}`, content), expected, bytes === 5);
    const back = path.join(folder, `down-${bytes}`);
    expect(await objects.getFile('f', back, expected)).toEqual({ executable: bytes === 5 });
    expect((await readFile(back)).equals(content)).toBe(true);
    expect(server.buckets.openUploads()).toBe(0);
  });

  test.each([100, 9 * 1024 * 1024])('a file of %d bytes that is not what was hashed is refused', async (bytes) => {
    const objects = bucket();
    const content = randomBytes(bytes);
    const up = objects.putFile('f', await file('changed', content), { bytes, sha256: sha256('other') }, false);
    await expect(up).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a download that is not what the manifest says is refused', async () => {
    const objects = bucket();
    await objects.put('f', 'tampered');
    const expected = { bytes: 8, sha256: sha256('original') };
    await expect(objects.getFile('f', path.join(folder, 'x'), expected)).rejects.toMatchObject({ code: 'conflict' });
    await expect(objects.getFile('g', path.join(folder, 'x'), expected)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a server that is busy, and an answer that breaks off, are asked again', async () => {
    const objects = bucket('flaky');
    const content = randomBytes(200_000);
    server.fail(/^PUT test\/flaky/, 2);
    await objects.put('f', content);
    server.fail(/^GET test\/flaky/, 1, 'cut');
    expect((await objects.get('f'))?.equals(content)).toBe(true);
    server.fail(/^GET test\/flaky/, 1, 'cut');
    await objects.getFile('f', path.join(folder, 'cut'), { bytes: content.length, sha256: sha256(content) });
  });

  test('ranges end where the object ends', async () => {
    const objects = bucket();
    await objects.put('f', '0123456789');
    const range = async (offset: number, most: number | null) =>
      (await objects.getRange('f', offset, most))?.toString();
    expect(await range(0, 4)).toBe('0123');
    expect(await range(8, 4)).toBe('89');
    expect(await range(10, 4)).toBe('');
    expect(await range(3, null)).toBe('3456789');
    expect(await objects.getRange('g', 3, null)).toBeNull();
  });

  test('a key that S3 cannot take is refused before anything is sent', async () => {
    const objects = bucket();
    const asked = server.requests.length;
    await expect(objects.put(`${'ä'.repeat(120)}/${'b'.repeat(250)}/`.repeat(3) + 'x', '')).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('S3 takes 1024'),
    });
    expect(server.requests.length).toBe(asked);
  });

  test('what fails says where, why and what to do, and shows no key', async () => {
    const refused = await failureOf(
      new S3Objects('s3://test/x', {
        ...server.settings,
        credentials: () => ({ accessKeyId: S3_TEST_KEYS.accessKeyId, secretAccessKey: 'wrong-and-secret' }),
      }).get('f'),
    );
    expect(refused.message).toContain('S3 failed at reading s3://test/x/f: SignatureDoesNotMatch');
    expect(refused).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('AWS_SECRET_ACCESS_KEY') });
    const noBucket = await failureOf(new S3Objects('s3://nobody/x', server.settings).put('f', ''));
    expect(noBucket).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('Create the bucket') });
    const nobody = await failureOf(
      new S3Objects('s3://test/x', { ...server.settings, endpoint: 'http://127.0.0.1:9' }).list('f'),
    );
    expect(nobody).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('SLUICE_S3_ENDPOINT') });
    for (const failure of [refused, noBucket, nobody])
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toMatch(/AKTEST|wrong-and-secret|secret-of-the/);
  });

  test('what is not the address of a bucket is refused', () => {
    for (const url of ['s3://', 's3://key:secret@bucket', 's3://UPPER', 'http://bucket', 's3:bucket'])
      expect(() => new S3Objects(url, server.settings)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});
