export { NOTEBOOK } from './notebook-file.ts';
export { endLeftovers } from './end-leftovers.ts';
export { createLocalExecutor, type LocalExecutor, type LocalExecutorOptions } from './local-executor.ts';
export { DEFAULT_PATH } from './environment.ts';
