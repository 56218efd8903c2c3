import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage } from '#storage';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';
import { anMlflowServer, type MlflowServer } from './mlflow-server.ts';

const SOURCE = join(import.meta.dirname, '..', '..', 'plugins', 'mlflow');
const FILES = Object.fromEntries(
  readdirSync(SOURCE).map((name) => [`plugins/mlflow/${name}`, readFileSync(join(SOURCE, name), 'utf8')]),
);

describe('the mlflow plugin', () => {
  let world: ExecutorFixture;
  let mlflow: MlflowServer;
  let reads: Assignment['reads'];
  beforeAll(async () => {
    mlflow = await anMlflowServer();
    world = await anExecutor(FILES, {
      storage: (root) => createFileStorage({ root, durable: false }),
      secretValues: { TOKEN: 'mlflow-token-1' },
    });
    const writes = [{ name: 'model', variable: 'PATH_MODEL', location: 'p/model' }];
    const script =
      'mkdir "$PATH_MODEL/m"; echo weights > "$PATH_MODEL/m/a b.bin"; echo "{}" > "$PATH_MODEL/about.json"';
    const [version] = (await world.run(shell(script, { writes }))).versions;
    reads = [{ name: 'model', variable: 'PATH_MODEL', versions: [{ ...version!, link: null }] }];
  });
  afterAll(async () => {
    await world.stop();
    mlflow.close();
  });

  const log = (input: object, over: Partial<Assignment> = {}): Assignment =>
    anAssignment({
      body: {
        ...{ kind: 'uses', plugin: 'mlflow', version: '1.0.0', package: null, entry: 'plugin.mjs' },
        input: { tracking_uri: mlflow.url, experiment: 'churn', ...input },
      },
      env: { SLUICE_PIPELINE: 'churn-model', SLUICE_TASK_ID: 'log', SLUICE_MAP_INDEX: '0' },
      secrets: { MLFLOW_TRACKING_TOKEN: { env: 'TOKEN' } },
      ...over,
    });

  test('logs a run with its files and registers the model; a retry goes on with the same run', async () => {
    const input = {
      params: { lr: 0.1, kind: 'gbm' },
      metrics: { auc: 0.91 },
      tags: { team: 'growth' },
      artifacts: 'model',
      register: { model: 'churn', path: 'm', alias: 'champion' },
    };
    const context = { ...anAssignment().context, runId: 'run-7', ds: '2026-01-01' };
    mlflow.failures = 1;
    const failed = await world.run(log(input, { reads, context }));
    expect(failed.outcome).toMatchObject({
      message: expect.stringMatching(
        /^plugin mlflow@1.0.0: Error: runs\/log-batch at http:\/\/127.0.0.1:\d+ answered 500, INTERNAL_ERROR: the database is away/,
      ),
    });
    const again = log(input, { reads, context });
    const { outcome, outputs, metrics, summary } = await world.run(again);
    expect(outcome).toEqual({ kind: 'success' });
    const url = `${mlflow.url}/#/experiments/1/runs/r1`;
    expect(outputs).toEqual({ run_id: 'r1', experiment_id: '1', url, model_version: '1' });
    expect(world.logOf(again)).toEqual(['out the run of an earlier attempt is continued: r1']);
    expect([...mlflow.runs.keys()]).toEqual(['r1']);
    expect(mlflow.runs.get('r1')).toMatchObject({
      info: { status: 'FINISHED' },
      name: 'churn-model 2026-01-01',
      params: { lr: '0.1', kind: 'gbm' },
      metrics: { auc: 0.91 },
      tags: { team: 'growth', 'sluice.run': 'run-7', 'sluice.pipeline': 'churn-model', 'sluice.environment': 'dev' },
    });
    expect(Object.fromEntries(mlflow.artifacts)).toEqual({
      '1/r1/artifacts/about.json': '{}\n',
      '1/r1/artifacts/m/a b.bin': 'weights\n',
    });
    expect(mlflow.models.get('churn')).toEqual([
      { name: 'churn', source: 'mlflow-artifacts:/1/r1/artifacts/m', run_id: 'r1' },
    ]);
    expect(mlflow.aliases.get('churn@champion')).toBe('1');
    expect(metrics).toMatchObject([{ name: 'auc', value: 0.91 }]);
    expect(summary).toBe(
      `MLflow: run [r1](${url}) of \`churn\`, 2 files. Registered as version 1 of \`churn\`, alias \`champion\`.`,
    );
    const next = await world.run(log({ register: { model: 'churn' } }, { reads }));
    expect(next.outputs).toMatchObject({ run_id: 'r2', model_version: '2' });
  });

  test('logs in batches of what the API takes', async () => {
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`p${index}`, index]));
    const before = mlflow.calls.filter((call) => call === 'runs/log-batch').length;
    const { outputs } = await world.run(log({ params: many }));
    expect(Object.keys(mlflow.runs.get(String(outputs.run_id))?.params ?? {})).toHaveLength(250);
    expect(mlflow.calls.filter((call) => call === 'runs/log-batch').length - before).toBe(3);
  });

  test('a server that refuses or is not there is told without the token', async () => {
    const messageOf = async (task: Assignment) => ((await world.run(task)).outcome as { message: string }).message;
    expect(await messageOf(log({}, { secrets: {} }))).toContain(
      `experiments/get-by-name at ${mlflow.url} answered 401`,
    );
    expect(await messageOf(log({ tracking_uri: 'http://127.0.0.1:1' }))).toContain(
      'experiments/get-by-name at http://127.0.0.1:1 could not be asked: ',
    );
    expect(await messageOf(log({ artifacts: 'nope' }))).toContain('artifacts is "nope", which the task does not read');
  });
});
