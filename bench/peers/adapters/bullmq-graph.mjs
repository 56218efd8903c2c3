// What a task of BullMQ that has run lets go on: Redis keeps what each task still waits for.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipelines, spec } from './serve.mjs';

export const peer = createRequire(path.join(spec.home, 'package.json'));
const { Queue } = peer('bullmq');
const { Redis } = peer('ioredis');
const { hostname: host, port } = new URL(spec.redisUrl);
export const connection = { host, port: Number(port), maxRetriesPerRequest: null };
export const queue = new Queue('tasks', { connection });
export const redis = new Redis(connection);

/** By pipeline; a flow where each task is needed by at most one, and all lead to one. */
export const graphs = new Map(
  [...pipelines.values()].map(({ name, tasks }) => {
    const byId = new Map(tasks.map((task) => [task.id, task]));
    const after = new Map(tasks.map(({ id }) => [id, []]));
    for (const { id, needs } of tasks) for (const need of needs) after.get(need).push(id);
    const ends = tasks.filter(({ id }) => after.get(id).length === 0);
    const isFlow = ends.length === 1 && tasks.every(({ id }) => after.get(id).length <= 1);
    return [name, { tasks, byId, after, end: ends[0], isFlow }];
  }),
);

/** Where processes are killed a job stays under its id when it is completed: it is not added twice then, and may be tried again. */
export function jobOf(run, task) {
  const durable = task.kind === 'watched';
  const opts = durable ? { jobId: `${run}/${task.id}`, attempts: 4 } : { removeOnComplete: true };
  return { name: task.id, queueName: 'tasks', data: { run, task }, opts };
}

/** What only waited for this one goes into the queue before its job is completed; the same when it is tried once more. */
export async function addNext(run, id) {
  const { after, byId, isFlow } = graphs.get(run.slice(0, run.lastIndexOf('#')));
  const next = after.get(id);
  if (isFlow || next.length === 0) return;
  const pipeline = redis.multi();
  for (const task of next) pipeline.srem(`left:${run}:${task}`, id).scard(`left:${run}:${task}`);
  const counts = (await pipeline.exec()).filter((_, i) => i % 2 === 1).map(([, count]) => count);
  const ready = next.filter((_, i) => counts[i] === 0);
  if (ready.length > 0) await queue.addBulk(ready.map((task) => jobOf(run, byId.get(task))));
}
