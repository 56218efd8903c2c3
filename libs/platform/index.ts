export { Auth, type Credential } from './auth.ts';
export { loadConfig, LOG_LEVELS, type Config, type LogLevel } from './config.ts';
export { startEmbeddedPostgres } from './embedded-postgres.ts';
export { GraphLayouts } from './graph-layout.ts';
export { NODE_SIZE, type GraphLayout, type GraphNode } from './layer-graph.ts';
export { createLog, NestLog, type Log, type LogOptions } from './log.ts';
export { Secret } from './secret.ts';
export { keepToken, readServerFile, removeServerFile, writeServerFile, type ServerFile } from './server-file.ts';
export { SystemMetrics, type Gauges } from './system-metrics.ts';
