import type { AfterTrigger, DatasetExpression, DatasetTrigger, EventTrigger, ParamSchema, Triggers } from '#core';
import { datasetsOf } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { hasExpressions } from '../expression/template.ts';
import type { DatasetsShape, TriggerShape } from '../shape/trigger-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { valueFaults } from './param-value.ts';
import { msOf } from './retries.ts';
import type { KnownNames } from './sections.ts';

/** The pipeline that a schedule belongs to, as far as its triggers ask. */
export interface Triggered {
  readonly pipeline: string;
  readonly params: Readonly<Record<string, ParamSchema>>;
  /** Of its parameters; also those that are faulty. */
  readonly known: KnownNames;
}

/** What `schedule:` names besides time; null: nothing. References to other pipelines are not yet followed. */
export function compileTriggers(
  shape: TriggerShape,
  path: Path,
  about: Triggered,
  compiling: Compiling,
): Triggers | null {
  const datasets = datasetTrigger(shape, path, about.pipeline, compiling);
  const after = afterTriggers(shape.after, [...path, 'after'], about.pipeline, compiling);
  const events = eventTriggers(shape.events, [...path, 'events'], about, compiling);
  if (datasets === null && after === null && events === null) return null;
  return {
    ...(datasets === null ? {} : { datasets }),
    ...(after === null ? {} : { after }),
    ...(events === null ? {} : { events }),
  };
}

function datasetTrigger(
  { datasets, window, freshness }: TriggerShape,
  path: Path,
  pipeline: string,
  compiling: Compiling,
): DatasetTrigger | null {
  if (datasets === undefined) {
    for (const [key, value] of Object.entries({ window, freshness }))
      if (value !== undefined)
        compiling.atKey([...path, key], `${key} has no meaning without datasets.`, 'Remove it, or add `datasets:`.');
    return null;
  }
  const place = [...path, 'datasets'];
  const expression = expressionOf(datasets, place, compiling);
  if (datasetsOf(expression).some((dataset) => dataset.pipeline === pipeline))
    compiling.at(
      place,
      `The pipeline is started by its own dataset: ${quote(datasets)}.`,
      'Name datasets of other pipelines; its own tasks wait for each other.',
    );
  return {
    expression,
    windowMs: window === undefined ? null : msOf(window),
    freshnessMs: freshness === undefined ? null : msOf(freshness),
  };
}

function expressionOf(shape: DatasetsShape, path: Path, compiling: Compiling): DatasetExpression {
  if (typeof shape === 'string') {
    const [pipeline = '', name = ''] = shape.split('.');
    return { pipeline, path: name };
  }
  const list = (parts: readonly DatasetsShape[], place: Path): DatasetExpression[] =>
    parts.map((part, index) => expressionOf(part, [...place, index], compiling));
  if (Array.isArray(shape)) return { all: list(shape, path) };
  const { all, any } = shape;
  if ((all === undefined) === (any === undefined))
    compiling.at(
      path,
      `${quote(shape)} has ${all === undefined ? 'neither' : 'both'} all and any.`,
      'Write one of them.',
    );
  return all === undefined ? { any: list(any ?? [], [...path, 'any']) } : { all: list(all, [...path, 'all']) };
}

function afterTriggers(
  shape: TriggerShape['after'],
  path: Path,
  pipeline: string,
  compiling: Compiling,
): readonly AfterTrigger[] | null {
  if (shape === undefined) return null;
  const after = [shape].flat().map((each) => ({
    pipeline: typeof each === 'string' ? each : each.pipeline,
    on: (typeof each === 'string' ? undefined : each.on) ?? 'success',
  }));
  if (after.some((each) => each.pipeline === pipeline))
    compiling.at(
      path,
      `The pipeline is started by its own end: ${quote(shape)}.`,
      'Name other pipelines; use `cron` or `every` to repeat it.',
    );
  return after;
}

function eventTriggers(
  shape: TriggerShape['events'],
  path: Path,
  about: Triggered,
  compiling: Compiling,
): Readonly<Record<string, EventTrigger>> | null {
  if (shape === undefined) return null;
  if (typeof shape === 'string') return { [shape]: { params: {}, secret: null } };
  if (Array.isArray(shape)) return Object.fromEntries(shape.map((name) => [name, { params: {}, secret: null }]));
  return Object.fromEntries(
    Object.entries(shape).map(([name, event]) => {
      const params = event?.params ?? {};
      for (const [param, value] of Object.entries(params))
        checkParam(param, value, [...path, name, 'params', param], about, compiling);
      return [name, { params, secret: event?.secret ?? null }];
    }),
  );
}

function checkParam(
  name: string,
  value: unknown,
  place: Path,
  { params, known }: Triggered,
  compiling: Compiling,
): void {
  if (!known.has(name)) {
    const hint = didYouMean(name, known, 'Declare it under `params:`.');
    compiling.atKey(place, `There is no parameter ${quote(name)}.`, hint);
  } else if (typeof value === 'string' && hasExpressions(value)) compiling.checkTemplate(value, place, EVENT_NAMES);
  else
    for (const wrong of valueFaults(params[name] ?? {}, value))
      compiling.at(place, `params.${name} ${wrong}.`, 'Change the value or the schema.');
}

const EVENT_NAMES: Names = {
  place: 'the parameters of an event',
  params: new Set<string>(),
  matrix: null,
  tasks: null,
  metrics: null,
  outputs: false,
  baseline: false,
  runState: false,
  event: true,
  types: { params: {}, matrix: {} },
};
