import type { CompiledPipeline, EnvironmentConfig } from '#core';
import { coerced, valueFaults } from './compile/param-value.ts';
import { didYouMean } from './source/did-you-mean.ts';
import { quote } from './source/quote.ts';

export type ResolvedParams =
  { readonly ok: true; readonly params: Record<string, unknown> } | { readonly ok: false; readonly problems: string[] };

/**
 * The parameters of a run: what the trigger gave, else the pipeline's overlay for this environment, else the
 * environment file, else the default. Text given for a number, boolean, list or map is read as one. Parameters of an
 * environment file that this pipeline does not declare are other pipelines' business.
 */
export function resolveParams(
  pipeline: CompiledPipeline,
  environment: EnvironmentConfig,
  given: Readonly<Record<string, unknown>>,
): ResolvedParams {
  const problems = Object.keys(given)
    .filter((name) => !Object.hasOwn(pipeline.params, name))
    .map((name) => unknownParam(name, pipeline));
  const overlay = memberOf(pipeline.environments, environment.name)?.params ?? {};
  const params: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(pipeline.params)) {
    const source = [given, overlay, environment.params].find((values) => memberOf(values, name) !== undefined);
    const value = source === undefined ? schema.default : coerced(schema, source[name]);
    if (value === undefined)
      problems.push(`Parameter ${quote(name)} of pipeline ${quote(pipeline.name)} has no default and was not given.`);
    else {
      problems.push(...valueFaults(schema, value).map((wrong) => `Parameter ${quote(name)} ${wrong}.`));
      params[name] = value;
    }
  }
  return problems.length === 0 ? { ok: true, params } : { ok: false, problems };
}

function unknownParam(name: string, pipeline: CompiledPipeline): string {
  const known = Object.keys(pipeline.params);
  const hint = known.length === 0 ? 'It has none.' : `It has ${known.join(', ')}.`;
  return `Pipeline ${quote(pipeline.name)} has no parameter ${quote(name)}. ${didYouMean(name, known, hint)}`;
}

function memberOf<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
