import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServer } from './find-server.ts';

let root: string;
let warnings: string[];
const warn = (text: string): void => void warnings.push(text);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-find-'));
  warnings = [];
  await mkdir(join(root, 'project', 'dags', 'deep'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

async function serverJson(folder: string, content: unknown, mode = 0o600): Promise<string> {
  const home = join(root, folder, '.sluice');
  await mkdir(home, { recursive: true });
  const file = join(home, 'server.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(file, mode);
  return file;
}

const ADDRESS = { url: 'http://127.0.0.1:7460/', token: 'secret', pid: 1, startedAt: 'now' };
const FROM_VARIABLES = { SLUICE_URL: 'https://sluice.example', SLUICE_TOKEN: 'other' };

describe('the server is found', () => {
  test('in the nearest folder upward that names one', async () => {
    await serverJson('.', { ...ADDRESS, url: 'http://127.0.0.1:1' });
    const file = await serverJson('project', ADDRESS);
    const found = await findServer(join(root, 'project', 'dags', 'deep'), {}, warn);
    expect(found).toEqual({ url: 'http://127.0.0.1:7460', token: 'secret', source: file });
    expect(warnings).toEqual([]);
  });

  test('by SLUICE_URL and SLUICE_TOKEN when no folder names one', async () => {
    const found = await findServer(join(root, 'project'), FROM_VARIABLES, warn);
    expect(found).toEqual({ url: 'https://sluice.example', token: 'other', source: 'SLUICE_URL' });
  });

  test('in the folder although SLUICE_URL is set, and says so', async () => {
    const file = await serverJson('project', ADDRESS);
    expect((await findServer(join(root, 'project'), FROM_VARIABLES, warn)).token).toBe('secret');
    expect(warnings).toEqual([`SLUICE_URL is not used, because ${file} names a server.`]);
  });

  test('in the folder and as SLUICE_URL alike: then SLUICE_TOKEN says who asks', async () => {
    await serverJson('project', ADDRESS);
    const env = { SLUICE_URL: ADDRESS.url, SLUICE_TOKEN: 'my own' };
    expect((await findServer(join(root, 'project'), env, warn)).token).toBe('my own');
    expect((await findServer(join(root, 'project'), { SLUICE_URL: ADDRESS.url }, warn)).token).toBe('secret');
    expect(warnings).toEqual([]);
  });

  test('in SLUICE_HOME first', async () => {
    await serverJson('project', { ...ADDRESS, token: 'not this' });
    await serverJson('elsewhere', ADDRESS);
    const found = await findServer(join(root, 'project'), { SLUICE_HOME: '../elsewhere/.sluice' }, warn);
    expect(found.token).toBe('secret');
  });

  test('with a warning when others may read the token', async () => {
    const file = await serverJson('project', ADDRESS, 0o644);
    await findServer(join(root, 'project'), {}, warn);
    expect(warnings).toEqual([`${file} holds a token and others may read it: chmod 600 it.`]);
  });
});

describe('the search ends', () => {
  const failure = async (env: Record<string, string> = {}): Promise<unknown> =>
    findServer(join(root, 'project'), env, warn).catch((error: unknown) => error);

  test('with the remedies when there is none', async () => {
    expect(await failure()).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('npm start') });
  });

  test('when the token for SLUICE_URL is missing', async () => {
    expect(await failure({ SLUICE_URL: 'https://sluice.example' })).toMatchObject({ code: 'unauthorized' });
  });

  test.each(['ftp://x', 'localhost:7460', 'javascript:alert(1)'])('when SLUICE_URL is %s', async (url) => {
    expect(await failure({ SLUICE_URL: url, SLUICE_TOKEN: 'x' })).toMatchObject({ code: 'bad_request' });
  });

  test.each(['', '{"url":', '[]', 'null', '{"url":"file:///etc/passwd","token":"x"}', '{"url":"http://x"}'])(
    'when the file holds %j, and the token is not in the message',
    async (content) => {
      await serverJson('project', content);
      expect(await failure()).toMatchObject({
        code: 'invalid_config',
        message: expect.stringContaining('server.json'),
      });
    },
  );
});
