import { createEmailSender, createJenkinsSender, createSlackSender, type SlackAccount } from '#alerts';
import type { AlertSender, EnvironmentConfig } from '#core';
import type { AlertDefaults, Environments } from '#engine';
import type { Config } from './config.ts';
import { readSecret, unsetVariable } from './read-secret.ts';

const NO_SENDER_ADDRESS = 'sluice@localhost';

/**
 * Senders by environment: what `alerts:` of its file says, else what the process was told (SLACK_BOT_TOKEN, SMTP_URL, …).
 * Secrets are read when a sender is made; it is made again when what it was made from has changed.
 */
export class AlertSenders {
  readonly #made = new Map<string, AlertSender>();

  constructor(
    private readonly config: Config,
    private readonly environments: Environments,
  ) {}

  /** Null for a kind that does not exist. Rejects when a secret cannot be read. */
  async for(environment: string, kind: string): Promise<AlertSender | null> {
    if (kind === 'slack') return this.slack(environment);
    if (kind === 'jenkins') return this.jenkins();
    return kind === 'email' ? this.email(this.environments.get(environment)?.config.alerts ?? null) : null;
  }

  /** The Slack app of an environment; of the server for null, or one that has none of its own. Null: there is none. */
  async slackAccount(environment: string | null): Promise<SlackAccount | null> {
    const slack = this.environments.get(environment ?? '')?.config.alerts.slack ?? null;
    const token = slack?.token ? await readSecret(slack.token) : this.config.slackToken?.reveal();
    const apiUrl = slack?.apiUrl ?? this.config.slackApiUrl ?? undefined;
    return token === undefined ? null : { token, apiUrl };
  }

  private async slack(environment: string): Promise<AlertSender | null> {
    const account = await this.slackAccount(environment);
    if (account === null) return null;
    return this.once(`slack\0${account.apiUrl}\0${account.token}`, () => createSlackSender(account));
  }

  private jenkins(): AlertSender | null {
    const { jenkins } = this.config;
    if (jenkins === null) return null;
    return this.once('jenkins', () => createJenkinsSender({ ...jenkins, token: jenkins.token.reveal() }));
  }

  private async email(alerts: EnvironmentConfig['alerts'] | null): Promise<AlertSender | null> {
    const smtp = alerts?.email?.smtp ?? this.config.smtpUrl?.reveal();
    if (smtp === undefined) return null;
    const smtpUrl = typeof smtp === 'string' ? smtp : await readSecret(smtp);
    const own = alerts?.email?.from ?? NO_SENDER_ADDRESS;
    const from = own === NO_SENDER_ADDRESS ? (this.config.mailFrom ?? own) : own;
    return this.once(`email\0${from}\0${smtpUrl}`, () => createEmailSender({ smtpUrl, from }));
  }

  private once(key: string, make: () => AlertSender): AlertSender {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }
}

/** What alerts say of themselves, and which cannot be sent from here at all: those are recorded as muted, with the reason. */
export function alertDefaults(config: Config, publicUrl: string): AlertDefaults {
  const ways = {
    slack: { what: 'Slack', variable: 'SLACK_BOT_TOKEN', isGiven: config.slackToken !== null },
    email: { what: 'mail', variable: 'SMTP_URL', isGiven: config.smtpUrl !== null },
  };
  return {
    publicUrl,
    decidesInSlack: config.slackSigningSecret !== null,
    unavailable: (kind, { name, alerts }) => {
      const { what, variable, isGiven } = ways[kind];
      const source = kind === 'slack' ? alerts.slack?.token : alerts.email?.smtp;
      const unset = unsetVariable(source);
      if (unset !== null)
        return `${what} is not configured: environments/${name}.yaml takes it from ${unset}; set it and start again`;
      return source || isGiven ? null : `${what} is not configured: set ${variable} and start again`;
    },
  };
}
