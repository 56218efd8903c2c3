import { dirname } from 'node:path';
import type { Assignment } from '#core';
import type { ReleaseFolder } from './release-folders.ts';
import type { ResultFiles } from './result-files.ts';

/** Used when the caller names no PATH. */
export const DEFAULT_PATH = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/**
 * What every process gets, whatever it runs: the same on every machine, and nothing of ours. Python writes no caches
 * into a release and does not hold its output back, so that its log is live.
 */
export function baseEnvironment(path: string, home: string): Record<string, string> {
  const python = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };
  return { PATH: path, HOME: home, TMPDIR: home, LANG: 'C.UTF-8', TZ: 'UTC', ...python };
}

export interface EnvironmentParts {
  readonly assignment: Assignment;
  readonly path: string;
  readonly scratch: string;
  readonly release: ReleaseFolder;
  readonly files: ResultFiles;
  readonly folders: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The whole environment of a shell, python or sql attempt. Our own variables win over the user's. */
export function attemptEnvironment(parts: EnvironmentParts): Record<string, string> {
  return {
    ...baseEnvironment(parts.path, parts.scratch),
    ...parts.assignment.env,
    ...parts.secrets,
    ...parts.folders,
    SLUICE_SCRATCH: parts.scratch,
    SLUICE_RELEASE_DIR: parts.release.folder,
    SLUICE_OUTPUT: parts.files.output,
    SLUICE_METRICS: parts.files.metrics,
    SLUICE_SUMMARY: parts.files.summary,
  };
}
