// Runs dbt, or reads what an earlier task left of it, and tells Sluice what became of each model and test.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { readResults } from './results.mjs';
import { summaryOf } from './summary.mjs';

/** @type {import('../contract.d.ts').Plugin<Record<string, any>>} */
export async function run(ctx, input) {
  const { folder, code } = input.results === undefined ? await runDbt(ctx, input) : folderOf(ctx, input.results);
  const results = readResults(folder);
  keepArtifacts(ctx, input.artifacts, folder);
  for (const { metric, seconds, rows } of results.nodes) {
    ctx.metric(`dbt.${metric}.seconds`, seconds);
    if (rows !== null) ctx.metric(`dbt.${metric}.rows`, rows);
  }
  for (const [name, count] of Object.entries(results.counts)) ctx.metric(`dbt.${name}`, count);
  ctx.summary(summaryOf(results));
  const failed = results.nodes.filter(({ verdict }) => verdict === 'failed');
  if (failed.length > 0 && input.on_failure !== 'warn') throw new Error(failureOf(failed, results.nodes.length));
  if (failed.length === 0 && code !== 0) throw new Error(`dbt ended with exit code ${code}; its log says why`);
  return { ...results.counts, failed: failed.map(({ id }) => id), dbt_version: results.dbtVersion };
}

function folderOf(ctx, name) {
  const folder = ctx.paths[name];
  if (folder === undefined)
    throw new Error(`results is "${name}", which the task does not read; write \`reads: [${name}]\``);
  return { folder, code: 0 };
}

/** The release is read-only, and every attempt keeps its own: all that dbt writes goes into the scratch folder. */
async function runDbt(ctx, input) {
  if (input.project === undefined) throw new Error('neither project nor results is given; dbt has nothing to do');
  const project = path.resolve(ctx.releaseDir, input.project);
  if (!`${project}/`.startsWith(`${ctx.releaseDir}/`) || !fs.existsSync(path.join(project, 'dbt_project.yml')))
    throw new Error(`project is "${input.project}", and there is no dbt_project.yml in that folder of dags/`);
  const target = path.join(ctx.scratch, 'target');
  const { command = 'build', executable = 'dbt' } = input;
  const args = [
    command,
    '--project-dir',
    project,
    '--target-path',
    target,
    '--log-path',
    path.join(ctx.scratch, 'logs'),
  ];
  if (fs.existsSync(path.join(project, 'profiles.yml'))) args.push('--profiles-dir', project);
  for (const key of ['select', 'exclude', 'target']) if (input[key] !== undefined) args.push(`--${key}`, input[key]);
  if (input.vars !== undefined) args.push('--vars', JSON.stringify(input.vars));
  const env = { ...process.env, ...ctx.env, ...ctx.secrets, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false', NO_COLOR: '1' };
  const child = spawn(executable, args, { cwd: ctx.scratch, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = await once(child, 'exit').catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`there is no "${executable}" on the PATH of the server; install dbt-core and its adapter there`);
  });
  if (!fs.existsSync(path.join(target, 'run_results.json')))
    throw new Error(`dbt ${command} ended with ${signal ?? `exit code ${code}`} before it wrote run_results.json`);
  return { folder: target, code };
}

function keepArtifacts(ctx, name, folder) {
  if (name === undefined) return;
  const out = ctx.out[name];
  if (out === undefined)
    throw new Error(`artifacts is "${name}", which the task does not write; write \`writes: [${name}]\``);
  for (const file of ['run_results.json', 'manifest.json']) {
    const source = path.join(folder, file);
    if (fs.existsSync(source)) fs.copyFileSync(source, path.join(out, file));
  }
}

function failureOf(failed, total) {
  const shown = failed
    .slice(0, 3)
    .map(({ kind, name, message }) => `${kind} ${name}${message === '' ? '' : ` (${message})`}`);
  return `${failed.length} of ${total} failed: ${shown.join('; ')}${failed.length > 3 ? '; …' : ''}`;
}
