export { releaseAlias } from './alias.ts';
export { type CompiledRelease, compileRelease } from './compile-release.ts';
export type { ReleaseFile } from './hashed-files.ts';
export type { ReleaseSummary } from './release-record.ts';
export { createReleaseStore, type ReleaseStore, type StoredRelease } from './release-store.ts';
export { type Snapshot, snapshotFolder, type SnapshotOptions } from './snapshot.ts';
export type { ReleaseSweepOptions } from './sweep-releases.ts';
export { type FolderWatch, watchFolder, type WatchOptions } from './watch-folder.ts';
