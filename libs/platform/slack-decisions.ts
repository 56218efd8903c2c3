import { isSignedBySlack, readSlackDecision, whisperInSlack, type SlackDecision, type SlackProof } from '#alerts';
import {
  isOneself,
  mayDo,
  SluiceError,
  type Clock,
  type GrantedRight,
  type PromotionRecord,
  type PromotionStore,
} from '#core';
import type { Environments, Observer, Promotions } from '#engine';
import { apiQueries, type Db } from '#store';
import { AlertSenders } from './alert-senders.ts';
import type { Config } from './config.ts';
import type { Secret } from './secret.ts';

export interface SlackDecisionsParts {
  /** Null: this server takes nothing from Slack. */
  readonly secret: Secret | null;
  readonly promotions: Pick<Promotions, 'open' | 'decide'>;
  readonly environments: Environments;
  /** What the named token may do; null: there is none that holds. */
  readonly rightsOf: (name: string) => Promise<readonly GrantedRight[] | null>;
  /** Says something to one person, in the name of the environment's Slack app; `environment` null: that of the server. */
  readonly whisper: (
    environment: string | null,
    to: { readonly channel: string; readonly user: string },
    text: string,
  ) => Promise<void>;
  readonly environmentOf: (promotion: string) => Promise<string | null>;
  readonly clock: Pick<Clock, 'now'>;
  readonly observer: Pick<Observer, 'problem'>;
}

/**
 * Approvals by the buttons of a Slack message. Slack vouches for an account; who that is, the environment file says
 * (`alerts.slack.approvers`); what this person may do, and which groups they are in, the named token of that name says.
 */
export class SlackDecisions {
  constructor(private readonly parts: SlackDecisionsParts) {}

  /**
   * Takes a request of Slack's, whose body is the text that came. Throws `unauthorized` unless it is signed and fresh. What stands
   * in the way of a decision is told to the person who made it; a decision that counts, the message itself shows soon.
   */
  async receive(body: string, proof: SlackProof): Promise<void> {
    const { secret, clock } = this.parts;
    if (secret === null)
      throw new SluiceError('unauthorized', 'This server takes nothing from Slack: it has no secret for it.', {
        hint: 'Set SLUICE_SLACK_SIGNING_SECRET to the signing secret of the Slack app, and start again.',
      });
    if (!isSignedBySlack(body, proof, secret.reveal(), clock.now()))
      throw new SluiceError('unauthorized', 'The signature of Slack is missing or wrong, or older than five minutes.', {
        hint: 'SLUICE_SLACK_SIGNING_SECRET is the signing secret of the Slack app; the clock of this server must be right.',
      });
    const asked = readSlackDecision(body);
    if (asked === null) return;
    const environment = await this.parts.environmentOf(asked.promotion);
    try {
      await this.#decide(asked, environment);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code === 'internal') throw error;
      // Slack waits three seconds for its answer, which must not depend on Slack.
      void this.#tell(asked, environment, [error.message, error.hint].filter(Boolean).join(' '));
    }
  }

  async #decide(asked: SlackDecision, environment: string | null): Promise<void> {
    const { promotions, environments } = this.parts;
    const { promotion } = await promotions.open(asked.promotion);
    const { user, decision } = asked;
    const approver = environments.get(environment ?? '')?.config.alerts.slack?.approvers[user.id];
    if (approver === undefined)
      throw new SluiceError('forbidden', `Sluice does not know who ${user.name} (${user.id}) is.`, {
        hint: `Whoever keeps environments/${environment}.yaml can say so there: alerts.slack.approvers, { ${user.id}: name of your token }. Until then, decide in the web view.`,
      });
    if (!mayDo((await this.parts.rightsOf(approver)) ?? [], 'approve', promotion.environment))
      throw new SluiceError('forbidden', `${approver} has no right to approve in ${promotion.environment}.`, {
        hint: `It takes a named token "${approver}" with the right approve:${promotion.environment}.`,
      });
    if (promotion.planHash !== asked.planHash)
      throw new SluiceError('conflict', `The plan of promotion ${asked.promotion} is another one by now.`, {
        hint: 'Look at it once more, and decide there.',
      });
    if (decision === 'approve') refuseOneself(user.name, promotion);
    await promotions.decide(
      asked.promotion,
      { decision, comment: null, approver },
      { name: `Slack (${user.id})`, groups: [], rights: [] },
    );
  }

  async #tell({ channel, user }: SlackDecision, environment: string | null, text: string): Promise<void> {
    if (channel === null) return;
    await this.parts
      .whisper(environment, { channel, user: user.id }, text)
      .catch((error: unknown) => this.parts.observer.problem('answering in Slack', error));
  }
}

interface SlackDecisionsOf extends Pick<SlackDecisionsParts, 'promotions' | 'environments'> {
  readonly config: Config;
  readonly db: Db;
  readonly promotionStore: Pick<PromotionStore, 'promotionCase'>;
}

/** Those of an installation. */
export function slackDecisionsOf(
  { config, db, environments, promotions, promotionStore }: SlackDecisionsOf,
  { clock, observer }: Pick<SlackDecisionsParts, 'clock' | 'observer'>,
): SlackDecisions {
  const senders = new AlertSenders(config, environments);
  return new SlackDecisions({
    ...{ secret: config.slackSigningSecret, promotions, environments, clock, observer },
    rightsOf: async (name) => (await apiQueries.tokenNamed(db, name))?.rights ?? null,
    environmentOf: async (id) => (await promotionStore.promotionCase(id))?.promotion.environment ?? null,
    whisper: async (environment, to, text) => {
      const account = await senders.slackAccount(environment);
      if (account === null) throw new SluiceError('unavailable', 'There is no token for Slack.');
      await whisperInSlack(account, to, text);
    },
  });
}

/** The person's other name: the approver's own is looked at where approvals are counted. */
function refuseOneself(name: string, { plan, actor }: PromotionRecord): void {
  const facts = { rules: plan.rules, requester: actor, authors: plan.authors };
  if (isOneself({ approver: name, assertedBy: null }, facts))
    throw new SluiceError(
      'forbidden',
      `${name} asked for this promotion or wrote the commit, and may not approve it.`,
      { hint: 'Somebody else has to: the environment says `exclude_author`.' },
    );
}
