import { type Caller, SluiceError } from '#core';
import type { Environments } from '#engine';
import { parseRemoteRef } from '#release';
import { type Db, followQueries } from '#store';
import { isMeant, readPush } from './follow/push-hook.ts';
import { checkWebhook, type WebhookProof } from './follow/webhook.ts';
import { whyNotFollow } from './follow/why-not-follow.ts';
import type { GitSettings } from './git-settings.ts';

/** What the API does about environments whose release a git remote decides. */
export function createFollowCommands(parts: {
  readonly db: Db;
  readonly environments: Environments;
  readonly git: Pick<GitSettings, 'webhookSecret'>;
  /** Followers of this process look at once. */
  readonly lookAtRemotes: () => void;
}) {
  const { db, environments, git, lookAtRemotes } = parts;
  return {
    /** `source`: `REPO#REF`. The first look comes at once. */
    followRemote: async (environment: string, source: string, { name }: Caller): Promise<void> => {
      const followed = parseRemoteRef(source);
      const refusal = whyNotFollow(environments, environment);
      if (refusal !== null)
        throw new SluiceError(environments.get(environment) === null ? 'not_found' : 'conflict', refusal, {
          hint: `Releases reach it by promotion: \`sluice promote --to ${environment}\`.`,
        });
      await followQueries.setFollow(db, { environment, ...followed }, name);
      lookAtRemotes();
    },
    unfollow: async (environment: string, { name }: Caller): Promise<void> => {
      await followQueries.clearFollow(db, environment, name);
      lookAtRemotes();
    },
    /** Nothing in the answer says whether anything is followed. */
    receivePush: async (body: string, proof: WebhookProof): Promise<void> => {
      checkWebhook(body, proof, git.webhookSecret);
      const push = readPush(body);
      if (push === null) return;
      const meant = (await followQueries.readFollows(db)).filter((row) => isMeant(push, row));
      await followQueries.askFollowers(
        db,
        meant.map(({ environment }) => environment),
      );
      lookAtRemotes();
    },
  };
}
