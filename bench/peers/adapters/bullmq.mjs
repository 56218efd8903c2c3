// BullMQ: a flow where each task is needed by at most one other; otherwise Redis keeps what each task still waits for.
import { setTimeout as pause } from 'node:timers/promises';
import { perform } from '../bodies/body.mjs';
import { addNext, connection, graphs, jobOf, peer, queue, redis } from './bullmq-graph.mjs';
import { serve, spec } from './serve.mjs';

const { FlowProducer, Worker } = peer('bullmq');
const flows = new FlowProducer({ connection });

const left = new Map();
function allEnded(run, open) {
  return new Promise((resolve) => left.set(run, { open, resolve }));
}
function taskEnded(run) {
  const one = left.get(run);
  // Of a program that was killed: its jobs are counted where they are waited for.
  if (one === undefined) return;
  one.open--;
  if (one.open > 0) return;
  left.delete(run);
  one.resolve();
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
worker.on('completed', ({ data: { run } }) => taskEnded(run));

await serve(
  async (names) => {
    const last = await redis.incrby('runs', names.length);
    const started = names.map((name, i) => ({ graph: graphs.get(name), run: `${name}#${last - i}` }));
    const ends = started.map(({ graph, run }) => allEnded(run, graph.tasks.length));
    await flows.addBulk(
      started.filter(({ graph }) => graph.isFlow).map(({ graph, run }) => flowOf(run, graph, graph.end)),
    );
    await Promise.all(started.filter(({ graph }) => !graph.isFlow).map(({ graph, run }) => startCounted(run, graph)));
    await Promise.all(ends);
  },
  // Jobs of a worker that was killed are taken up when their lock has expired. None is left when all have ended.
  async () => {
    for (;;) {
      const { completed, failed, ...open } = await queue.getJobCounts();
      if (failed > 0) throw new Error(`${failed} jobs failed, ${completed} are completed`);
      if (Object.values(open).every((count) => count === 0)) return;
      await pause(20);
    }
  },
);
await worker.close();
redis.disconnect();

function flowOf(run, graph, task) {
  return { ...jobOf(run, task), children: task.needs.map((id) => flowOf(run, graph, graph.byId.get(id))) };
}

async function startCounted(run, { tasks }) {
  const behind = tasks.filter(({ needs }) => needs.length > 0);
  const pipeline = redis.multi();
  for (const { id, needs } of behind) pipeline.sadd(`left:${run}:${id}`, needs);
  await pipeline.exec();
  await queue.addBulk(tasks.filter(({ needs }) => needs.length === 0).map((task) => jobOf(run, task)));
}
