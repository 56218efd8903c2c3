import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadConfig } from './config.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-config-')));
  await mkdir(join(folder, 'project', 'dags', 'deep'), { recursive: true });
  await mkdir(join(folder, 'elsewhere'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('settings', () => {
  test('without any there are defaults for one machine', () => {
    const config = loadConfig({}, join(folder, 'project'));
    expect(config).toMatchObject({
      project: join(folder, 'project'),
      home: join(folder, 'project', '.sluice'),
      host: '127.0.0.1',
      port: 7460,
      databaseUrl: null,
      logLevel: 'info',
      token: null,
      publicUrl: null,
      allowedHosts: [],
    });
    expect(config.concurrency).toBeGreaterThanOrEqual(4);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('the project is the nearest folder upward that holds dags/, else where one stands', () => {
    expect(loadConfig({}, join(folder, 'project', 'dags', 'deep')).project).toBe(join(folder, 'project'));
    expect(loadConfig({}, join(folder, 'elsewhere')).project).toBe(join(folder, 'elsewhere'));
    expect(loadConfig({ SLUICE_HOME: '../data' }, join(folder, 'project')).home).toBe(join(folder, 'data'));
  });

  test('a worker has what its machine has, unless told otherwise', () => {
    const { cpu, memory, gpu } = loadConfig({}, folder).workerResources;
    expect([cpu >= 1, memory > 2 ** 20, gpu]).toEqual([true, true, 0]);
    const told = { SLUICE_WORKER_CPU: '1.5', SLUICE_WORKER_MEMORY: '16Gi', SLUICE_WORKER_GPU: '2' };
    expect(loadConfig(told, folder).workerResources).toEqual({ cpu: 1.5, memory: 16 * 2 ** 30, gpu: 2 });
  });

  test('all that is wrong is told at once, secrets not at all', () => {
    const wrong = {
      SLUICE_PORT: '70000',
      SLUICE_CONCURRENCY: '2.5',
      SLUICE_LOG_LEVEL: 'loud',
      SLUICE_DEBUG_KILL: 'before switch',
      DATABASE_URL: 'mysql://u:hunter2@h/d',
      SLUICE_TOKEN: 'short hunter2',
      SMTP_URL: 'hunter2',
      SLUICE_PUBLIC_URL: 'javascript:alert(1)',
      SLUICE_ALLOWED_HOSTS: 'a.example, b c:80',
    };
    const failure = (() => {
      try {
        loadConfig(wrong, folder);
      } catch (error) {
        return error as { code: string; message: string; details: { problems: string[] } };
      }
      return null;
    })();
    expect(failure?.code).toBe('invalid_config');
    expect(failure?.details.problems.map((problem) => problem.split(' ')[0])).toEqual([
      'SLUICE_PORT',
      'DATABASE_URL',
      'SLUICE_CONCURRENCY',
      'SLUICE_LOG_LEVEL',
      'SLUICE_TOKEN',
      'SLUICE_PUBLIC_URL',
      'SLUICE_ALLOWED_HOSTS',
      'SMTP_URL',
      'SLUICE_DEBUG_KILL',
    ]);
    expect(failure?.message).toContain('SLUICE_PORT is "70000", expected a whole number from 0 to 65535');
    expect(failure?.message).not.toContain('hunter2');
  });

  test('secrets are given only when asked for by name', () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://u:hunter2@h/d', SLACK_BOT_TOKEN: 'xoxb-hunter2' }, folder);
    expect(config.databaseUrl?.reveal()).toBe('postgres://u:hunter2@h/d');
    for (const shown of [JSON.stringify(config), inspect(config, { depth: 9 }), `${String(config.slackToken)}`])
      expect(shown).not.toContain('hunter2');
  });

  test('an empty variable counts as absent', () => {
    expect(loadConfig({ DATABASE_URL: '', SLUICE_PORT: ' ' }, folder)).toMatchObject({ databaseUrl: null, port: 7460 });
  });
});
