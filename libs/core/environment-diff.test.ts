import { expect, test } from '@jest/globals';
import { diffConfigs, shownConfig } from './environment-diff.ts';
import type { EnvironmentConfig } from './pipeline.ts';

const dev: EnvironmentConfig = {
  verifySample: null,
  ...{ name: 'dev', storage: 'file:///dev', schedules: 'active', vars: { region: 'eu' }, params: { sample: 0.1 } },
  secrets: { DSN: { env: 'DEV_DSN' }, OLD: { file: '/run/old' } },
  pools: { default: 8 },
  alerts: {
    slack: { channel: '#dev', token: { env: 'SLACK' }, apiUrl: null, approvers: {} },
    email: { to: ['a@b.c'], from: 'x@y.z', smtp: 'smtp://user:hunter2@mail' },
    on: ['run.failed'],
    mute: [],
  },
  ...{ data: {}, grants: [], logs: { maxBytes: 1, maxLineBytes: 1 }, retentionDays: null },
  promotion: {
    ...{ from: [], gates: [], window: null, verify: null, autoRollback: false },
    approvals: { count: 0, groups: [], excludeAuthor: true, expiresMs: 1 },
  },
};
const prod: EnvironmentConfig = {
  ...dev,
  ...{ name: 'prod', storage: 'file:///prod', schedules: 'paused', pools: { default: 16, gpu: 1 } },
  params: { sample: 1 },
  secrets: { DSN: { env: 'PROD_DSN' }, NEW: { env: 'NEW' } },
  alerts: { ...dev.alerts, slack: null, email: { to: ['a@b.c'], from: 'x@y.z', smtp: { env: 'SMTP' } } },
};

test('environments differ by key; of secrets only the names are told', () => {
  expect(diffConfigs(dev, prod)).toEqual([
    { field: 'alerts.slack', before: { channel: '#dev', token: 'set' }, after: null },
    { field: 'params.sample', before: 0.1, after: 1 },
    { field: 'pools.default', before: 8, after: 16 },
    { field: 'pools.gpu', after: 1 },
    { field: 'schedules', before: 'active', after: 'paused' },
    { field: 'secrets.NEW', after: 'set' },
    { field: 'secrets.OLD', before: 'set' },
  ]);
  expect(diffConfigs(dev, dev)).toEqual([]);
});

test('what is shown of a configuration holds no secret and says not where one is', () => {
  const gates = [{ kind: 'installation' as const, url: 'https://b.example', token: { env: 'B_TOKEN' } }];
  const shown = JSON.stringify(shownConfig({ ...dev, promotion: { ...dev.promotion, gates } }));
  for (const hidden of ['hunter2', 'B_TOKEN', 'DEV_DSN', '/run/old', '"SLACK"']) expect(shown).not.toContain(hidden);
  expect(shown).toContain('DSN');
});
