import type { CompiledPipeline, CompiledTask, TaskBody } from '#core';
import type { Compiling } from '../compile/compiling.ts';
import { inputFaults } from './input-faults.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Plugins } from './plugin-folders.ts';

type Uses = Extract<TaskBody, { kind: 'uses' }>;

/** The pipeline with what its plugins say of themselves; the same object when it uses none. */
export function withPlugins(pipeline: CompiledPipeline, plugins: Plugins): CompiledPipeline {
  if (pipeline.tasks.every(({ body }) => body.kind !== 'uses')) return pipeline;
  return { ...pipeline, tasks: pipeline.tasks.map((task) => withPlugin(task, plugins)) };
}

function withPlugin(task: CompiledTask, plugins: Plugins): CompiledTask {
  const { body } = task;
  const found = body.kind === 'uses' ? plugins.get(body.plugin) : null;
  if (body.kind !== 'uses' || found === null || found === undefined) return task;
  if (!found.network) return { ...task, body: { ...body, found } };
  // Nothing tells whether what it reads elsewhere has changed.
  const { cache: _cache, ...rest } = task;
  return { ...rest, body: { ...body, found }, network: true };
}

/** Every plugin exists in the version that is asked for, and takes what it is given. */
export function checkPlugins(pipeline: CompiledPipeline, plugins: Plugins, compiling: () => Compiling): void {
  for (const task of pipeline.tasks) if (task.body.kind === 'uses') checkUse(task, task.body, plugins, compiling);
}

function checkUse(task: CompiledTask, body: Uses, plugins: Plugins, compiling: () => Compiling): void {
  const section = task.final ? 'finally' : 'tasks';
  const place = [section, task.id, 'uses'];
  const plugin = plugins.get(body.plugin);
  if (plugin === undefined) {
    const remedy = `Add it: \`sluice plugins add ${body.plugin}\`, or write dags/plugins/${body.plugin}/plugin.yaml.`;
    const message = `Task ${quote(task.id)} uses the plugin ${quote(body.plugin)}, which is not in dags/plugins.`;
    return compiling().at(place, message, didYouMean(body.plugin, plugins.keys(), remedy));
  }
  const file = `dags/plugins/${body.plugin}/plugin.yaml`;
  if (plugin === null)
    return compiling().at(
      place,
      `Task ${quote(task.id)} uses the plugin ${quote(body.plugin)}, whose file has problems.`,
      `Mend ${file}.`,
    );
  if (plugin.version !== body.wanted && !plugin.version.startsWith(`${body.wanted}.`))
    return compiling().at(
      place,
      `Task ${quote(task.id)} uses ${body.plugin}@${body.wanted}, but ${file} is version ${plugin.version}.`,
      `Write ${body.plugin}@${plugin.version}, or put the other version there.`,
    );
  if (plugin.network && compiling().map.has([section, task.id, 'cache']) && task.cache !== undefined)
    compiling().atKey(
      [section, task.id, 'cache'],
      `Task ${quote(task.id)} has a cache, and ${body.plugin} reads from elsewhere: nothing tells whether that has changed.`,
      'Remove it.',
    );
  for (const { path, key, message, hint } of inputFaults(plugin.input, body.with, { templates: true })) {
    const full = [section, task.id, 'with', ...path];
    // Without `with:` there is no place in it.
    if (Object.keys(body.with).length === 0 && path.length === 0) compiling().at(place, message, hint);
    else if (key === undefined) compiling().at(full, message, hint);
    else compiling().atKey([...full, key], message, hint);
  }
}
