import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { parseEnvironment } from '#dag';
import { anAlert, startSlackServer, startSmtpServer } from '#testing';
import { alertDefaults, AlertSenders } from './alert-senders.ts';
import { loadConfig } from './config.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  delete process.env.SLUICE_TEST_TOKEN;
});

function environmentOf(alerts: string) {
  const text = `name: dev\nstorage: file:///nowhere\nalerts:\n${alerts}`;
  const { environment, problems } = parseEnvironment('environments/dev.yaml', text, '/');
  if (!environment) throw new Error(JSON.stringify(problems));
  return environment;
}

function sendersOf(alerts: string, variables: Record<string, string> = {}): AlertSenders {
  const applied = { config: environmentOf(alerts), hash: '' };
  return new AlertSenders(loadConfig(variables), { get: () => applied, all: () => [applied] });
}

test('the token and the server of an environment win over those of the process', async () => {
  const own = await startSlackServer({ token: 'xoxb-own', channels: ['data'] });
  const other = await startSlackServer();
  closers.push(
    () => own.close(),
    () => other.close(),
  );
  process.env.SLUICE_TEST_TOKEN = 'xoxb-own';
  const senders = sendersOf(
    `  slack: { channel: "#data", token: { env: SLUICE_TEST_TOKEN }, api_url: "${own.apiUrl}" }`,
    {
      SLACK_BOT_TOKEN: 'xoxb-process',
      SLACK_API_URL: other.apiUrl,
    },
  );
  const sender = await senders.for('dev', 'slack');
  expect((await sender!.send('#data', anAlert(), null, false)).kind).toBe('sent');
  expect(own.calls.length).toBeGreaterThan(0);
  expect(other.calls).toHaveLength(0);
  expect(await senders.for('dev', 'slack')).toBe(sender);
});

test('mail goes through the server that a file of the environment names', async () => {
  const server = await startSmtpServer();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-secret-'));
  closers.push(
    () => server.close(),
    () => rm(folder, { recursive: true }),
  );
  const file = join(folder, 'smtp');
  await writeFile(file, `${server.url}\n`);
  const senders = sendersOf(`  email: { to: [a@b.example], from: us@b.example, smtp: { file: "${file}" } }`, {
    SLUICE_MAIL_FROM: 'process@b.example',
  });
  const sent = await (await senders.for('dev', 'email'))!.send('a@b.example', anAlert(), null, false);
  expect(sent.kind).toBe('sent');
  expect(server.mails[0]?.from).toBe('us@b.example');
});

test('a secret that cannot be read rejects, naming where it should be', async () => {
  const senders = sendersOf(`  slack: { channel: "#data", token: { file: /nowhere/token } }`);
  await expect(senders.for('dev', 'slack')).rejects.toThrow("The secret's file /nowhere/token cannot be read.");
  expect(await senders.for('dev', 'pager')).toBeNull();
});

test('what cannot be sent from here says which setting is missing', () => {
  const { unavailable } = alertDefaults(loadConfig({}), '');
  const unset = environmentOf(`  slack: { channel: "#data", token: { env: SLUICE_TEST_TOKEN } }`);
  expect(unavailable('slack', unset)).toBe(
    'Slack is not configured: environments/dev.yaml takes it from SLUICE_TEST_TOKEN; set it and start again',
  );
  expect(unavailable('email', unset)).toBe('mail is not configured: set SMTP_URL and start again');
  process.env.SLUICE_TEST_TOKEN = 'x';
  expect(unavailable('slack', unset)).toBeNull();
});
