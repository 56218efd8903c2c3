/*
 * What an environment has become beside what it should be: code that is not released, releases that did not arrive,
 * configuration that is not applied, schedules somebody paused. A pure function over what is known of it.
 */

export interface DriftFacts {
  readonly environment: string;
  /** The branch that releases are made of; null: no repository is at hand. */
  readonly git: {
    /** A remote, or the folder of a repository. */
    readonly source: string;
    readonly ref: string;
    readonly commit: string;
  } | null;
  /** The newest release of a commit; null: there is none. */
  readonly newest: DriftRelease | null;
  /** What the environment points at; null: nothing yet. */
  readonly current: DriftRelease | null;
  /** Commits of the branch that the newest release has not; null: not known. */
  readonly commitsUnreleased: number | null;
  /** Commits of the newest release that the current one has not; null: not known. */
  readonly commitsBehind: number | null;
  /** Releases of commits that were created after the current one. */
  readonly releasesBehind: number;
  readonly config: {
    /** Digest as it was applied; null: never. */
    readonly applied: string | null;
    /** Digest of the file as it is; null: there is no file, or it has problems. */
    readonly file: string | null;
    /** Of the file, for people. */
    readonly problem: string | null;
  };
  /** Schedules that somebody paused. */
  readonly paused: readonly {
    readonly pipeline: string;
    /** Null: not known. */
    readonly by: string | null;
    readonly since: string | null;
  }[];
}

export interface DriftRelease {
  readonly digest: string;
  readonly alias: string;
  readonly commit: string | null;
  /** True: of a working tree. */
  readonly dirty: boolean;
}

export const DRIFT_KINDS = ['unreleased', 'behind', 'uncommitted', 'configuration', 'paused'] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

export interface DriftItem {
  readonly kind: DriftKind;
  /** What it is about: a branch, a release, a file, a pipeline. */
  readonly subject: string;
  /** One sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Everything that differs, in the order code travels: git, releases, configuration, schedules. Empty: nothing does. */
export function judgeDrift(facts: DriftFacts): readonly DriftItem[] {
  return [...unreleased(facts), ...behind(facts), ...configuration(facts), ...paused(facts)];
}

function unreleased({ git, newest, commitsUnreleased }: DriftFacts): DriftItem[] {
  if (git === null || git.commit === newest?.commit) return [];
  const subject = `${git.source}#${git.ref}`;
  const remedy = `sluice release create --ref ${git.commit.slice(0, 12)}`;
  if (newest === null)
    return [
      {
        kind: 'unreleased',
        subject,
        text: `No release of a commit exists; ${git.ref} is at ${short(git.commit)}.`,
        remedy,
      },
    ];
  // The release may be of a commit that came later, from another clone.
  if (commitsUnreleased === 0) return [];
  const ahead = commitsUnreleased === null ? 'another commit' : count(commitsUnreleased, 'commit');
  const text =
    commitsUnreleased === null
      ? `${git.ref} is at ${short(git.commit)}, the newest release ${newest.alias} is of ${ahead} (${short(newest.commit)}).`
      : `${git.ref} is ${ahead} ahead of the newest release ${newest.alias} (${short(newest.commit)}).`;
  return [{ kind: 'unreleased', subject, text, remedy }];
}

function behind({ environment, newest, current, commitsBehind, releasesBehind }: DriftFacts): DriftItem[] {
  if (current === null) {
    if (newest === null) return [];
    const text = `${environment} points at no release; the newest is ${newest.alias}.`;
    return [{ kind: 'behind', subject: newest.alias, text, remedy: promote(environment, newest) }];
  }
  if (current.dirty) {
    const text = `${environment} runs a working tree, ${current.alias}, with changes that are in no commit.`;
    return [{ kind: 'uncommitted', subject: current.alias, text, remedy: 'Commit them, and `sluice release create`.' }];
  }
  if (newest === null || newest.digest === current.digest || commitsBehind === 0) return [];
  const far =
    commitsBehind !== null
      ? count(commitsBehind, 'commit')
      : releasesBehind > 0
        ? count(releasesBehind, 'release')
        : null;
  if (far === null) return [];
  const text = `${environment} is ${far} behind: it runs ${current.alias} (${short(current.commit)}), the newest release is ${newest.alias} (${short(newest.commit)}).`;
  return [{ kind: 'behind', subject: current.alias, text, remedy: promote(environment, newest) }];
}

function configuration({ environment, config }: DriftFacts): DriftItem[] {
  const subject = `environments/${environment}.yaml`;
  if (config.problem !== null)
    return [
      {
        kind: 'configuration',
        subject,
        text: `The file has problems, so what was applied before goes on: ${config.problem}`,
        remedy: '`sluice validate` shows them all.',
      },
    ];
  if (config.file === config.applied) return [];
  const [text, remedy] =
    config.file === null
      ? ['The file is gone, and what was applied before goes on.', 'Restore it from git.']
      : config.applied === null
        ? ['The file was never applied.', 'Start the server on this project.']
        : [
            `The file (${config.file.slice(0, 12)}) is not what was applied (${config.applied.slice(0, 12)}).`,
            'Is the server running on this project? It applies changed files by itself.',
          ];
  return [{ kind: 'configuration', subject, text, remedy }];
}

function paused({ environment, paused: schedules }: DriftFacts): DriftItem[] {
  return schedules.map(({ pipeline, by, since }) => ({
    kind: 'paused',
    subject: pipeline,
    text: `The schedule of ${pipeline} is paused${by === null ? '' : ` by ${by}`}${since === null ? '' : ` since ${since}`}.`,
    remedy: `sluice unpause ${pipeline} --env ${environment}`,
  }));
}

function promote(environment: string, { digest }: DriftRelease): string {
  return `sluice promote --to ${environment} --release ${digest.slice(0, 12)}`;
}

function short(commit: string | null): string {
  return commit === null ? 'no commit' : commit.slice(0, 12);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
