export { contained } from './contained.ts';
export { createFileLogs } from './file-logs.ts';
export type { EnvironmentStorage } from './environment-storage.ts';
export { createFileStorage, type FileStorageOptions } from './file-storage.ts';
export { manifestHash, type Manifest, type ManifestFile } from './manifest.ts';
export { createS3Logs, type S3Logs, type S3LogsOptions } from './s3-logs.ts';
export { S3Objects } from './s3-objects.ts';
export type { S3Settings } from './s3-settings.ts';
export { createS3Storage, type S3StorageOptions } from './s3-storage.ts';
