// DBOS Transact: a workflow that runs each task as a step as soon as those before it are done.
import { createRequire } from 'node:module';
import path from 'node:path';
import { perform } from '../bodies/body.mjs';
import { pipelines, serve, spec } from './serve.mjs';

const { DBOS } = createRequire(path.join(spec.home, 'package.json'))('@dbos-inc/dbos-sdk');

/** Tasks at once, over all workflows: DBOS bounds workflows, not steps. */
let free = spec.parallelism;
const waiting = [];
async function take() {
  if (free > 0) free--;
  else await new Promise((resolve) => waiting.push(resolve));
}
function giveBack() {
  const next = waiting.shift();
  if (next === undefined) free++;
  else next();
}

/** Each resolves when the step is recorded; the slot is held until then. */
async function whenReady(task, before, work) {
  await before();
  await take();
  try {
    await DBOS.runStep(work, { name: task.id });
  } finally {
    giveBack();
  }
}

/** A workflow is recovered by calling its steps in the same order once more: those that are done return at once. */
async function inOrder(task, before, work) {
  let held = false;
  const step = DBOS.runStep(
    async () => {
      await before();
      await take();
      held = true;
      await work();
    },
    { name: task.id },
  );
  try {
    await step;
  } finally {
    if (held) giveBack();
  }
}

const execute = DBOS.registerWorkflow(
  async (name) => {
    const run = `${name}#${DBOS.workflowID}`;
    const done = new Map();
    for (const task of pipelines.get(name).tasks) {
      const execute = task.kind === 'watched' ? inOrder : whenReady;
      const before = () => Promise.all(task.needs.map((id) => done.get(id)));
      done.set(
        task.id,
        execute(task, before, () => perform(spec, run, task)),
      );
    }
    await Promise.all(done.values());
  },
  { name: 'execute' },
);

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: spec.databaseUrl, runAdminServer: false, logLevel: 'error' });
await DBOS.launch();
await serve(
  async (names) => {
    const handles = await Promise.all(names.map((name) => DBOS.startWorkflow(execute)(name)));
    await Promise.all(handles.map((handle) => handle.getResult()));
  },
  // `launch` recovers what was under way.
  async () => {
    const open = await DBOS.listWorkflows({ status: ['ENQUEUED', 'PENDING'] });
    await Promise.all(open.map(({ workflowID }) => DBOS.retrieveWorkflow(workflowID).getResult()));
  },
);
await DBOS.shutdown();
