import { diffPipelines, type DiffKind, type PipelineDiff } from '#core';
import type { ReleaseFile } from './hashed-files.ts';
import { byCodeUnit } from './list-files.ts';
import type { StoredRelease } from './release-store.ts';

export interface ReleaseDiff {
  readonly pipelines: readonly PipelineDiff[];
  /** By content and executable bit; sorted by path. */
  readonly files: readonly FileDiff[];
}

export interface FileDiff {
  readonly path: string;
  readonly change: DiffKind;
  readonly before: ReleaseFile | null;
  readonly after: ReleaseFile | null;
}

type Compared = Pick<StoredRelease, 'pipelines' | 'files'>;

/** What `after` has that `before` has not, and the other way round: pipelines by meaning, files by content. */
export function diffReleases(before: Compared, after: Compared): ReleaseDiff {
  return { pipelines: diffPipelines(before.pipelines, after.pipelines), files: diffFiles(before.files, after.files) };
}

function diffFiles(before: readonly ReleaseFile[], after: readonly ReleaseFile[]): readonly FileDiff[] {
  const old = new Map(before.map((file) => [file.path, file]));
  const now = new Map(after.map((file) => [file.path, file]));
  return [...new Set([...old.keys(), ...now.keys()])].sort(byCodeUnit).flatMap((path): FileDiff[] => {
    const [was, is] = [old.get(path) ?? null, now.get(path) ?? null];
    if (was?.sha256 === is?.sha256 && was?.executable === is?.executable) return [];
    return [{ path, change: was === null ? 'added' : is === null ? 'removed' : 'changed', before: was, after: is }];
  });
}
