import type { CompiledPipeline, CompiledTask } from '#core';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';

/** Reports calls of pipelines that do not exist, and parameters that the called pipeline lacks or needs. */
export function checkCalls(
  { name, tasks }: CompiledPipeline,
  known: ReadonlyMap<string, CompiledPipeline | null>,
  compiling: () => Compiling,
): void {
  for (const task of tasks) {
    if (task.body.kind !== 'call') continue;
    const { pipeline, params } = task.body;
    const place = placeOfCall(task, compiling);
    const calls = `Task ${quote(task.id)} calls ${quote(pipeline)}`;
    const other = known.get(pipeline);
    if (other === null || pipeline === name) continue;
    if (other === undefined) {
      const hint = didYouMean(pipeline, known.keys(), 'Add its file, or correct the name.');
      compiling().at(place(), `${calls}, but there is no such pipeline.`, hint);
      continue;
    }
    for (const param of Object.keys(params))
      if (!Object.hasOwn(other.params, param))
        compiling().atKey(
          [...place(), 'params', param],
          `${calls} with the parameter ${quote(param)}, which ${other.file} does not declare.`,
          didYouMean(param, Object.keys(other.params), 'Declare it there under `params:`, or remove it.'),
        );
    for (const [param, schema] of Object.entries(other.params)) {
      const isGiven =
        Object.hasOwn(params, param) || Object.hasOwn(schema, 'default') || isGivenElsewhere(other, param);
      if (!isGiven)
        compiling().at(
          place(),
          `${calls} without the parameter ${quote(param)}, which has no default in ${other.file}.`,
          `Give it: call: { pipeline: ${pipeline}, params: { ${param}: … } }.`,
        );
    }
  }
}

/** Names of the pipelines that the tasks of a pipeline call. */
export function calledBy({ tasks }: CompiledPipeline): string[] {
  return tasks.flatMap(({ body }) => (body.kind === 'call' ? [body.pipeline] : []));
}

/** Where the task says what it calls. */
export function placeOfCall({ id, final }: CompiledTask, compiling: () => Compiling): () => (string | number)[] {
  return () => {
    const section = final ? 'finally' : compiling().map.has(['first', id]) ? 'first' : 'tasks';
    return [section, id, 'call'];
  };
}

function isGivenElsewhere({ environments }: CompiledPipeline, param: string): boolean {
  return Object.values(environments).some(({ params = {} }) => Object.hasOwn(params, param));
}
