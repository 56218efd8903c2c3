export { contained } from './contained.ts';
export { createFileLogs } from './file-logs.ts';
export type { EnvironmentStorage } from './environment-storage.ts';
export { createFileStorage, type FileStorageOptions } from './file-storage.ts';
export { manifestHash, type Manifest, type ManifestFile } from './manifest.ts';
