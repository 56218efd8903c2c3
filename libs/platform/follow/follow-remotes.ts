import path from 'node:path';
import type { RunningParts } from '../running.ts';
import { createCommitStatuses } from './commit-statuses.ts';
import { RemoteFollowers } from './remote-followers.ts';
import { whyNotFollow } from './why-not-follow.ts';

/** The followers of an installation, with what its settings say; nothing is asked until they are started. */
export function followRemotes(
  { options, db, releases, environments, clock, observer, publicUrl, wake, onCommit, onUnfollowed }: RunningParts,
  processId: string,
): RemoteFollowers {
  const { git, home } = options.config;
  return new RemoteFollowers(
    {
      ...{ db, releases, clock, observer, publicUrl, onUnfollowed },
      folder: mirrorsFolder(home),
      access: {
        token: git.host === null || git.token === null ? null : { host: git.host, value: git.token.reveal() },
        sshKeyFile: git.sshKeyFile,
      },
      statuses: createCommitStatuses(git),
      refusal: (name) => whyNotFollow(environments, name),
      onChange: (moved) => {
        onCommit();
        if (moved) wake();
      },
    },
    processId,
  );
}

/** Holds the mirrors of followed remotes. */
export function mirrorsFolder(home: string): string {
  return path.join(home, 'follow');
}
