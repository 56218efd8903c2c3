// DBOS Transact: a workflow that runs each task as a step as soon as those before it are done.
import { createRequire } from 'node:module';
import path from 'node:path';
import { perform } from '../bodies/body.mjs';
import { pipelines, serve, spec } from './serve.mjs';

const { DBOS } = createRequire(path.join(spec.home, 'package.json'))('@dbos-inc/dbos-sdk');

/** Tasks at once, over all workflows: DBOS bounds workflows, not steps. */
let free = spec.parallelism;
const waiting = [];
async function slot(work) {
  if (free > 0) free--;
  else await new Promise((resolve) => waiting.push(resolve));
  try {
    await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

const execute = DBOS.registerWorkflow(
  async (name) => {
    const run = `${name}#${DBOS.workflowID}`;
    const done = new Map();
    for (const task of pipelines.get(name).tasks)
      done.set(
        task.id,
        (async () => {
          await Promise.all(task.needs.map((id) => done.get(id)));
          await slot(() => DBOS.runStep(() => perform(spec, run, task), { name: task.id }));
        })(),
      );
    await Promise.all(done.values());
  },
  { name: 'execute' },
);

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: spec.databaseUrl, runAdminServer: false, logLevel: 'error' });
await DBOS.launch();
await serve(async (names) => {
  const handles = await Promise.all(names.map((name) => DBOS.startWorkflow(execute)(name)));
  await Promise.all(handles.map((handle) => handle.getResult()));
});
await DBOS.shutdown();
