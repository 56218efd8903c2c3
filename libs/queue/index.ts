export { onlyAttempt, type Hear } from './attempt-source.ts';
export { AttemptWorker, type AttemptWorkerOptions } from './attempt-worker.ts';
export { createBroker, type Broker } from './broker.ts';
export { Consumer } from './consumer.ts';
export { QueueExecutor, type QueueExecutorOptions } from './queue-executor.ts';
export type { WorkApi } from './work-api.ts';
