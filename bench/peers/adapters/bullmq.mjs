// BullMQ: a flow where each task is needed by at most one other; otherwise Redis counts what each task still waits for.
import { createRequire } from 'node:module';
import path from 'node:path';
import { perform } from '../bodies/body.mjs';
import { pipelines, serve, spec } from './serve.mjs';

const peer = createRequire(path.join(spec.home, 'package.json'));
const { FlowProducer, Queue, Worker } = peer('bullmq');
const { Redis } = peer('ioredis');
const { hostname: host, port } = new URL(spec.redisUrl);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };

const graphs = new Map(
  [...pipelines.values()].map(({ name, tasks }) => {
    const byId = new Map(tasks.map((task) => [task.id, task]));
    const after = new Map(tasks.map(({ id }) => [id, []]));
    for (const { id, needs } of tasks) for (const need of needs) after.get(need).push(id);
    const ends = tasks.filter(({ id }) => after.get(id).length === 0);
    const isFlow = ends.length === 1 && tasks.every(({ id }) => after.get(id).length <= 1);
    return [name, { tasks, byId, after, end: ends[0], isFlow }];
  }),
);

const left = new Map();
let finished = () => undefined;
function taskEnded(run) {
  const open = left.get(run) - 1;
  left.set(run, open);
  if (open === 0) left.delete(run);
  if (left.size === 0) finished();
}

const queue = new Queue('tasks', { connection });
const flows = new FlowProducer({ connection });
const redis = new Redis(connection);
const options = { removeOnComplete: true };
const jobOf = (run, task) => ({ name: task.id, queueName: 'tasks', data: { run, task }, opts: options });

/** What only waited for this one goes into the queue before its job is completed. */
async function addNext(run, id) {
  const { after, byId, isFlow } = graphs.get(run.slice(0, run.lastIndexOf('#')));
  const next = after.get(id);
  if (isFlow || next.length === 0) return;
  const pipeline = redis.multi();
  for (const task of next) pipeline.hincrby(`left:${run}`, task, -1);
  const counts = (await pipeline.exec()).map(([, count]) => count);
  const ready = next.filter((_, i) => counts[i] === 0);
  if (ready.length > 0) await queue.addBulk(ready.map((task) => jobOf(run, byId.get(task))));
}

const sandboxed = spec.settings === 'tuned';
const work = sandboxed
  ? new URL('./bullmq-process.mjs', import.meta.url)
  : async ({ data: { run, task } }) => {
      await perform(spec, run, task);
      await addNext(run, task.id);
    };
const worker = new Worker('tasks', work, { connection, concurrency: spec.parallelism });
await worker.waitUntilReady();
worker.on('completed', async ({ data: { run, task } }) => {
  if (sandboxed) await addNext(run, task.id);
  taskEnded(run);
});

let runs = 0;
await serve(async (names) => {
  const all = new Promise((resolve) => (finished = resolve));
  const started = names.map((name) => ({ graph: graphs.get(name), run: `${name}#${++runs}` }));
  for (const { graph, run } of started) left.set(run, graph.tasks.length);
  await flows.addBulk(
    started.filter(({ graph }) => graph.isFlow).map(({ graph, run }) => flowOf(run, graph, graph.end)),
  );
  await Promise.all(started.filter(({ graph }) => !graph.isFlow).map(({ graph, run }) => startCounted(run, graph)));
  await all;
});
await worker.close();
redis.disconnect();

function flowOf(run, graph, task) {
  return { ...jobOf(run, task), children: task.needs.map((id) => flowOf(run, graph, graph.byId.get(id))) };
}

async function startCounted(run, { tasks }) {
  const behind = tasks.filter(({ needs }) => needs.length > 0);
  await redis.hset(`left:${run}`, Object.fromEntries(behind.map(({ id, needs }) => [id, needs.length])));
  await queue.addBulk(tasks.filter(({ needs }) => needs.length === 0).map((task) => jobOf(run, task)));
}
