// The child process of a sandboxed worker.
import { perform } from '../bodies/body.mjs';
import { addNext } from './bullmq-graph.mjs';
import { spec } from './serve.mjs';

export default async function process({ data: { run, task } }) {
  await perform(spec, run, task);
  await addNext(run, task.id);
}
