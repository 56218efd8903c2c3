import type { CompiledPipeline } from '#core';
import type { ReleaseRecord, ReleaseSummary } from './release-record.ts';
import type { StoredRelease } from './release-store.ts';

type CommitFacts = Pick<ReleaseSummary, 'commit' | 'branch' | 'author' | 'message' | 'dirty'>;

/** Where a release came from, of anything that knows it. */
export function commitOf({ commit, branch, author, message, dirty }: CommitFacts): CommitFacts {
  return { commit, branch, author, message, dirty };
}

export function summaryOf({
  digest,
  alias,
  createdAt,
  commit,
  branch,
  author,
  message,
  dirty,
}: ReleaseSummary): ReleaseSummary {
  return { digest, alias, createdAt, commit, branch, author, message, dirty };
}

/** The release as it is told, of its record and what its contents hold. */
export function assemble(
  record: ReleaseRecord,
  pipelines: readonly CompiledPipeline[],
  sources: Readonly<Record<string, string>>,
): StoredRelease {
  return { ...summaryOf(record), files: record.files, pipelines, problems: record.problems, sources };
}
