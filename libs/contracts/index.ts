export * from './grid-cells.ts';
export * from './shapes.ts';
export * from './backfill-shapes.ts';
export * from './environment-shapes.ts';
export * from './release-shapes.ts';
export * from './promotion-shapes.ts';
export * from './verification-shapes.ts';
export * from './client.ts';
export type { ClientOptions } from './request.ts';
