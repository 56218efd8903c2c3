import { renderParams } from '../render-params.ts';
import type { TestShape } from '../shape/test-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { CompilingTest } from './parse-tests.ts';

/** The parameters of a run that an event starts, as its payload makes them; null, with a problem, when it starts none. */
export function compileEvent(
  test: Pick<TestShape, 'event' | 'at' | 'params'>,
  { compiling, path, pipeline, environment }: CompilingTest,
): Readonly<Record<string, unknown>> | null {
  const { event } = test;
  if (event === undefined) return test.params ?? {};
  for (const key of ['at', 'params'] as const)
    if (test[key] !== undefined)
      compiling.atKey(
        [...path, key],
        key === 'at'
          ? 'A run that an event starts is about no interval.'
          : 'The payload of the event gives the parameters.',
        'Remove it, or `event`.',
      );
  const events = pipeline.schedule.triggers?.events ?? {};
  const trigger = Object.hasOwn(events, event.name) ? events[event.name] : undefined;
  if (trigger === undefined) {
    const all = Object.keys(events);
    const hint = all.length === 0 ? 'Name it under `schedule: { events: … }`.' : `It waits for ${all.join(', ')}.`;
    const message = `Pipeline ${quote(pipeline.name)} does not wait for the event ${quote(event.name)}.`;
    compiling.at([...path, 'event', 'name'], message, didYouMean(event.name, all, hint));
    return null;
  }
  const params = renderParams(trigger.params, event.payload ?? {}, environment);
  if (params.ok) return params.value;
  compiling.atKey(
    [...path, 'event'],
    `The event starts no run: ${params.message.replace(/\.$/, '')}.`,
    'Correct the payload, or what the pipeline makes of it.',
  );
  return null;
}
