import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../libs/platform/config.ts';
import { interpolate, readComposeFile, variablesIn } from './compose-file.ts';

const ROOT = join(import.meta.dirname, '..');
const { services, volumes } = readComposeFile(join(ROOT, 'docker-compose.yml'));
const all = Object.entries(services);
const ours = all.filter(([, { build }]) => build !== undefined);
const example = Object.fromEntries(
  [...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, k = '', v = '']) => [
    k,
    v,
  ]),
);
const SERVICE_KEYS =
  'build cap_drop command depends_on environment healthcheck image init ports profiles restart security_opt stop_grace_period volumes';

describe('docker-compose.yml', () => {
  test('has the five services, each from a pinned image or built here, with keys that compose knows', () => {
    expect(Object.keys(services).sort()).toEqual(['api', 'postgres', 'redis', 'scheduler', 'worker']);
    expect(services['postgres']?.image).toMatch(/^postgres:18/);
    for (const [, service] of all) {
      expect(service.image).toMatch(/^[a-z]+:(?!latest)\S+$/);
      expect(SERVICE_KEYS.split(' ')).toEqual(expect.arrayContaining(Object.keys(service)));
      if (service.build !== undefined) expect(existsSync(join(ROOT, service.build, 'Dockerfile'))).toBe(true);
    }
  });

  test('starts what is built: every command names a process that the build makes', () => {
    const entries = /const ENTRIES = \[(.*?)\]/.exec(readFileSync(join(ROOT, 'scripts/build.mjs'), 'utf8'))?.[1] ?? '';
    for (const [name, { command }] of ours) {
      expect(command).toEqual(['node', `dist/${name}.js`]);
      expect(entries).toContain(`'${name}'`);
    }
  });

  test('waits only for services that exist and can become healthy', () => {
    for (const [, { depends_on: needs = {} }] of all)
      for (const [name, { condition }] of Object.entries(needs)) {
        expect(condition).toBe('service_healthy');
        expect(services[name]?.healthcheck?.test?.[0]).toBe('CMD');
      }
  });

  test('opens ports on the loopback address only', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? []);
    expect(ports).toEqual(['127.0.0.1:7460:7460']);
  });

  test('mounts declared volumes and folders of this repository, and keeps Postgres where version 18 puts it', () => {
    const mounts = all.flatMap(([, service]) => service.volumes ?? []);
    const named = mounts.map((mount) => mount.split(':')[0] ?? '').filter((source) => !source.startsWith('.'));
    expect([...new Set(named)].sort()).toEqual(Object.keys(volumes).sort());
    for (const mount of mounts.filter((text) => text.startsWith('./'))) {
      expect(mount).toMatch(/^(\.\/(?:dags|environments)):\/app\/(?:dags|environments):ro$/);
    }
    expect(services['postgres']?.volumes).toEqual(['postgres-data:/var/lib/postgresql']);
  });

  test('sets only variables that the program reads, to values that it accepts', () => {
    const known = new Set<string>();
    loadConfig(new Proxy({}, { get: (_, name) => void known.add(String(name)) }), ROOT);
    const filled = { ...example, POSTGRES_PASSWORD: 'a1b2', SLUICE_TOKEN: 'x'.repeat(32) };
    for (const [name, { environment = {} }] of ours) {
      expect([...known]).toEqual(expect.arrayContaining(Object.keys(environment)));
      const set = Object.entries(environment).map(([name, value]) => [name, interpolate(String(value), filled)]);
      const config = loadConfig(Object.fromEntries(set) as Record<string, string>, ROOT);
      // A worker must not need the database, nor be able to reach into it.
      if (name === 'worker') expect([config.databaseUrl, config.serverUrl]).toEqual([null, 'http://api:7460']);
      else expect(config.databaseUrl).not.toBeNull();
      expect(config.token).not.toBeNull();
    }
  });

  test('holds no secret: each comes from .env, which git ignores, and what must be set has no default', () => {
    const values = all.flatMap(([, { environment = {} }]) => Object.entries(environment));
    for (const [name, value] of values) {
      for (const variable of variablesIn(String(value))) {
        expect(Object.keys(example)).toContain(variable.name);
        if (/PASSWORD|SLUICE_TOKEN/.test(variable.name)) expect(variable.operator).toBe(':?');
      }
      if (/PASSWORD|TOKEN|SMTP_URL|DATABASE_URL/.test(name)) expect(variablesIn(String(value))).toHaveLength(1);
    }
    for (const [name, value] of Object.entries(example)) if (/PASSWORD|TOKEN|SMTP/.test(name)) expect(value).toBe('');
    expect(readFileSync(join(ROOT, '.gitignore'), 'utf8')).toMatch(/^\.env$/m);
  });

  test('the worker and its Redis are there for those who want them', () => {
    const behind = all.filter(([, { profiles }]) => profiles?.includes('queue')).map(([name]) => name);
    expect(behind.sort()).toEqual(['redis', 'worker']);
  });
});
