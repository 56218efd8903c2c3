export { connectDatabase, migrate } from './database.ts';
export { createStore } from './store.ts';
export type { Db } from './statement.ts';
export * as readQueries from './reads.ts';
