import { declaredEnvironment, type CompiledPipeline, type ParamSchema, type PipelineOverlay } from '#core';

/**
 * The pipeline as it is in one environment: schedule, parameter defaults, pool, resources, replicas and alerts of its overlay applied.
 * `paused` is a state of the environment, not of the pipeline: read it from the overlay. The graph never differs. A
 * preview has its parent's overlay.
 */
export function withOverlay(pipeline: CompiledPipeline, environmentName: string): CompiledPipeline {
  const declared = declaredEnvironment(environmentName);
  if (!Object.hasOwn(pipeline.environments, declared)) return pipeline;
  const overlay = pipeline.environments[declared] ?? {};
  return {
    ...pipeline,
    schedule: overlay.schedule ?? pipeline.schedule,
    params: overlay.params === undefined ? pipeline.params : withDefaults(pipeline.params, overlay.params),
    tasks: withLimits(pipeline.tasks, overlay),
    alerts: overlay.alerts ?? pipeline.alerts,
  };
}

/** A task that asks for no resources does so nowhere, and one without replicas has none anywhere. */
function withLimits(
  tasks: CompiledPipeline['tasks'],
  { pool, resources, replicas }: PipelineOverlay,
): CompiledPipeline['tasks'] {
  if (pool === undefined && resources === undefined && replicas === undefined) return tasks;
  return tasks.map(({ replicas: own, ...task }) => {
    const here = own && (replicas ?? own);
    return {
      ...task,
      pool: pool ?? task.pool,
      ...(task.resources === undefined ? {} : { resources: { ...task.resources, ...resources } }),
      ...(here === undefined || here.max === 1 ? {} : { replicas: here }),
    };
  });
}

function withDefaults(
  params: CompiledPipeline['params'],
  defaults: Readonly<Record<string, unknown>>,
): Record<string, ParamSchema> {
  return Object.fromEntries(
    Object.entries(params).map(([name, schema]) => [
      name,
      Object.hasOwn(defaults, name) ? { ...schema, default: defaults[name] } : schema,
    ]),
  );
}
