export { contained } from './contained.ts';
export { createFileLogs } from './file-logs.ts';
export { createFileStorage, type FileStorage, type FileStorageOptions } from './file-storage.ts';
export { manifestHash, type Manifest, type ManifestFile } from './manifest.ts';
