export * from './attempt.ts';
export * from './errors.ts';
export * from './pipeline.ts';
export * from './ports.ts';
export * from './states.ts';
