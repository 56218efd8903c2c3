import { z } from 'zod';
import { expecting } from './expecting.ts';
import { duration, id, name, variable } from './names.ts';

/** A dataset, or several of which all or any must have a new version. */
export type DatasetsShape =
  string | DatasetsShape[] | { all?: DatasetsShape[] | undefined; any?: DatasetsShape[] | undefined };

const datasetWords = expecting(
  'a path of another pipeline, a list of them, or a map with all or any',
  '{ all: [orders.raw, { any: [rates.eur, rates.usd] }] }',
);
const reference = z.string(datasetWords).regex(/^[a-z][a-z0-9_-]{0,62}\.[a-z][a-z0-9_]{0,62}$/, datasetWords);

/** Nested three deep: further than anybody reads. */
const datasets: z.ZodType<DatasetsShape> = nested(nested(nested(reference)));

function nested(inner: z.ZodType<DatasetsShape>): z.ZodType<DatasetsShape> {
  const several = z.array(inner, datasetWords).min(1, datasetWords).max(100, datasetWords);
  return z.union(
    [reference, several, z.strictObject({ all: several.optional(), any: several.optional() })],
    datasetWords,
  );
}

const afterWords = expecting(
  'a pipeline, a map with pipeline and on, or a list of them',
  '{ pipeline: ingest, on: success }',
);
const afterShape = z.union(
  [name, z.strictObject({ pipeline: name, on: z.enum(['success', 'failed', 'any']).optional() })],
  afterWords,
);

const eventWords = expecting(
  'the name of an event, a list of names, or a map from name to params and secret',
  '{ file-arrived: { params: { file: "${{ event.file }}" } } }',
);
const eventShape = z.union(
  [
    z.null(),
    z.strictObject({
      params: z
        .record(id, z.json(), expecting('a map from parameter to value', '{ file: "${{ event.file }}" }'))
        .optional()
        .describe('Parameters of the run, made from the payload.'),
      secret: variable.optional().describe("Name in the environment file's secrets: senders sign with it."),
    }),
  ],
  expecting('a map with params and secret', '{ params: { file: "${{ event.file }}" } }'),
);

/** Keys of `schedule:` that start runs by something else than time. */
export const TRIGGER_KEYS = {
  datasets: datasets.optional().describe('Runs start when these have new versions.'),
  window: duration.optional().describe('New versions of datasets count together when they lie within this time.'),
  freshness: duration.optional().describe('No run while a dataset is older than this.'),
  after: z
    .union([afterShape, z.array(afterShape, afterWords).min(1, afterWords).max(100, afterWords)], afterWords)
    .optional()
    .describe('Runs start when runs of these pipelines end.'),
  events: z
    .union([name, z.array(name, eventWords).min(1, eventWords), z.record(name, eventShape, eventWords)], eventWords)
    .optional()
    .describe('Runs start when these events are sent to the API.'),
};

export type TriggerShape = { [K in keyof typeof TRIGGER_KEYS]?: z.infer<(typeof TRIGGER_KEYS)[K]> };
