// One run of MLflow for one task run, through the REST API of a tracking server. An attempt that is repeated finds the
// run of the attempt before by its tag, so that a retry does not leave two.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createClient } from './client.mjs';

/** Of one call of runs/log-batch. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;

/** @type {import('../contract.d.ts').Plugin<Record<string, any>>} */
export async function run(ctx, input) {
  const files = input.artifacts === undefined ? [] : filesOf(folderOf(ctx, input.artifacts));
  const client = createClient(input.tracking_uri, ctx.secrets.MLFLOW_TRACKING_TOKEN, ctx.signal);
  const experimentId = await experimentOf(client, input.experiment);
  const { run_id: runId, artifact_uri: artifactUri } = await runOf(client, experimentId, ctx, input);
  await logAll(client, runId, input);
  await upload(client, artifactUri, files, ctx);
  const version = input.register === undefined ? null : await register(client, input.register, { runId, artifactUri });
  await client.post('runs/update', { run_id: runId, status: 'FINISHED', end_time: Date.now() });
  const where = `${input.tracking_uri.replace(/\/+$/, '')}/#/experiments/${experimentId}/runs/${runId}`;
  for (const [name, value] of Object.entries(input.metrics ?? {})) ctx.metric(name, value);
  ctx.summary(summaryOf(where, runId, files.length, input, version));
  return {
    run_id: runId,
    experiment_id: experimentId,
    url: where,
    ...(version === null ? {} : { model_version: version }),
  };
}

async function experimentOf(client, name) {
  const found = await client.get('experiments/get-by-name', { experiment_name: name }, ['RESOURCE_DOES_NOT_EXIST']);
  if (found !== null) return String(found.experiment.experiment_id);
  const created = await client.post('experiments/create', { name }, ['RESOURCE_ALREADY_EXISTS']);
  // Somebody else created it in between.
  return created === null ? experimentOf(client, name) : String(created.experiment_id);
}

async function runOf(client, experimentId, ctx, input) {
  const { SLUICE_PIPELINE: pipeline = '', SLUICE_TASK_ID: task = '', SLUICE_MAP_INDEX: index = '0' } = ctx.env;
  const key = createHash('sha256')
    .update(`${ctx.environment}/${ctx.runId}/${task}/${index}`)
    .digest('hex')
    .slice(0, 32);
  const found = await client.post('runs/search', {
    experiment_ids: [experimentId],
    filter: `tags.\`sluice.task_run\` = '${key}'`,
    max_results: 1,
  });
  if (found.runs?.[0] !== undefined) {
    ctx.log(`the run of an earlier attempt is continued: ${found.runs[0].info.run_id}`);
    return found.runs[0].info;
  }
  const own = {
    'sluice.task_run': key,
    'sluice.run': ctx.runId,
    'sluice.pipeline': pipeline,
    'sluice.environment': ctx.environment,
  };
  const created = await client.post('runs/create', {
    experiment_id: experimentId,
    run_name: input.run_name ?? `${pipeline} ${ctx.ds ?? ctx.runId}`,
    start_time: Date.now(),
    tags: pairs({ ...input.tags, ...own }),
  });
  return created.run.info;
}

async function logAll(client, runId, { params = {}, metrics = {} }) {
  const timestamp = Date.now();
  const points = Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step: 0 }));
  const texts = pairs(params);
  while (points.length + texts.length > 0)
    await client.post('runs/log-batch', {
      run_id: runId,
      params: texts.splice(0, MOST_PARAMS),
      metrics: points.splice(0, MOST_METRICS - MOST_PARAMS),
    });
}

async function upload(client, artifactUri, files, ctx) {
  if (files.length === 0) return;
  const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/.exec(artifactUri)?.[1];
  if (proxied === undefined)
    throw new Error(
      `the server keeps artifacts at ${artifactUri}, which it does not take through its API; start it with --serve-artifacts`,
    );
  for (const [index, { name, file }] of files.entries()) {
    await client.put(`${proxied}/${name}`, file);
    ctx.progress(index + 1, files.length, name);
  }
}

async function register(client, { model, path: folder, alias }, { runId, artifactUri }) {
  await client.post('registered-models/create', { name: model }, ['RESOURCE_ALREADY_EXISTS']);
  const source = folder === undefined ? artifactUri : `${artifactUri}/${folder}`;
  const created = await client.post('model-versions/create', { name: model, source, run_id: runId });
  const version = String(created.model_version.version);
  if (alias !== undefined) await client.post('registered-models/alias', { name: model, alias, version });
  return version;
}

function folderOf(ctx, name) {
  if (ctx.paths[name] !== undefined) return ctx.paths[name];
  throw new Error(`artifacts is "${name}", which the task does not read; write \`reads: [${name}]\``);
}

/** Without what Sluice itself keeps beside the data. */
function filesOf(root, prefix = '') {
  return fs.readdirSync(path.join(root, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.name === '_sluice.json') return [];
    const file = path.join(root, name);
    return fs.statSync(file).isDirectory() ? filesOf(root, name) : [{ name, file }];
  });
}

function pairs(values) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
}

function summaryOf(where, runId, files, { experiment, register: registered }, version) {
  const model =
    version === null
      ? ''
      : ` Registered as version ${version} of \`${registered.model}\`${registered.alias === undefined ? '' : `, alias \`${registered.alias}\``}.`;
  return `MLflow: run [${runId}](${where}) of \`${experiment}\`, ${files} ${files === 1 ? 'file' : 'files'}.${model}`;
}
