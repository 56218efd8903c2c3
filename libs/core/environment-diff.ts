import type { FieldChange } from './diff-pipelines.ts';
import { changesBetween } from './diff-pipelines.ts';
import type { EnvironmentConfig } from './pipeline.ts';

/** An environment's configuration as everybody who may view it may see it: of secrets the names, never where or what they are. */
export type ShownConfig = Readonly<Record<string, unknown>>;

export function shownConfig(config: EnvironmentConfig): ShownConfig {
  const { name: _name, storage: _storage, secrets, alerts, promotion, ...plain } = config;
  const { slack, email, ...events } = alerts;
  return {
    ...plain,
    promotion: {
      ...promotion,
      gates: promotion.gates.map((gate) => (gate.kind === 'installation' ? { ...gate, token: SET } : gate)),
    },
    secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, SET])),
    alerts: {
      ...events,
      slack: slack === null ? null : { channel: slack.channel, token: slack.token === null ? null : SET },
      // The address of a mail server may hold its password.
      email: email === null ? null : { to: email.to, from: email.from, smtp: email.smtp === null ? null : SET },
    },
  };
}

const SET = 'set';

/** What two environments' configuration differs in, key by key; storage roots differ always, so they are left out. */
export function diffConfigs(before: EnvironmentConfig, after: EnvironmentConfig): readonly FieldChange[] {
  return changesBetween(shownConfig(before), shownConfig(after));
}
