import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLog, loadConfig, openInstallation, packageRoot, WorkingTree } from '#platform';
import { pipelines, serve, spec } from './serve.mjs';
import { pipelineFile, tasksModule, tasksPython } from './sluice-files.ts';

/** Sluice as `npm start` has it, without the HTTP API: runs are asked for as the API asks for them. */
const project = spec.folder;
await mkdir(path.join(project, 'dags'), { recursive: true });
await mkdir(path.join(project, 'environments'), { recursive: true });
for (const pipeline of pipelines.values())
  await writeFile(path.join(project, 'dags', `${pipeline.name}.yaml`), pipelineFile(pipeline, spec));
await writeFile(path.join(project, 'dags', 'tasks.mjs'), tasksModule(spec));
await writeFile(path.join(project, 'dags', 'tasks.py'), tasksPython(spec));
await writeFile(
  path.join(project, 'environments', 'dev.yaml'),
  'name: dev\nstorage: file://./storage\nschedules: paused\npools: { default: 100000 }\n',
);
const config = {
  ...loadConfig({ SLUICE_CONCURRENCY: String(spec.parallelism) }, project),
  home: path.join(project, '.sluice'),
};
const log = createLog({ level: 'error' });
const installation = await openInstallation({
  config,
  databaseUrl: spec.databaseUrl ?? '',
  log,
  publicUrl: '',
  packageRoot: packageRoot(),
  firesSchedules: false,
});
const { store, releases, environments, commands, db } = installation;
const tree = new WorkingTree({ project, store, releases, environments, log, onChange: () => undefined });
await tree.refresh();
const problems = tree.problems();
if (problems.length > 0) throw new Error(JSON.stringify(problems.slice(0, 3)));
await installation.startScheduler();

await serve(
  async (names: readonly string[]) => {
    const asked = names.map((pipeline) =>
      commands.trigger({ pipeline, environment: 'dev', params: {}, actor: 'the benchmark' }),
    );
    await ended(await Promise.all(asked));
  },
  // It goes on by itself with what it was asked for last.
  async (names: readonly string[]) => {
    const runs: { id: string }[] = await db.query('select id from run order by id desc limit $1', [names.length]);
    await ended(runs.map(({ id }) => id));
  },
);
await installation.close();

async function ended(ids: readonly unknown[]): Promise<void> {
  for (;;) {
    const nextCommit = new Promise<void>((resolve) => installation.onCommit(resolve));
    const states: { state: string }[] = await db.query('select distinct state from run where id = any($1::bigint[])', [
      ids,
    ]);
    if (states.every(({ state }) => state === 'success')) return;
    const failed = states.find(({ state }) => !['queued', 'running', 'success'].includes(state));
    if (failed !== undefined) throw new Error(`a run ended as ${failed.state}`);
    await nextCommit;
  }
}
