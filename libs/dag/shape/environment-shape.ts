import { z } from 'zod';
import { ALERT_EVENTS } from '#core';
import { duration, id, name, nonEmptyText, oneOrMany, text, variable, wholeNumber } from './names.ts';

const SECRET_EXPECTED = 'where the secret comes from: { env: VARIABLE } or { file: /path }';
const secretSource = z.union([z.strictObject({ env: variable }), z.strictObject({ file: nonEmptyText })], {
  error: SECRET_EXPECTED,
});

const ADDRESS_EXPECTED = 'an address such as team@example.com';
const address = text.regex(/^[^\s@:,;<>]+@[^\s@:,;<>]+$/, { error: ADDRESS_EXPECTED });
const events = oneOrMany(z.enum(ALERT_EVENTS), 'an event or a list of events');
const SIZE_EXPECTED = 'a size such as 64KiB, 16MiB or a number of bytes';
const size = z.union(
  [wholeNumber(1, Number.MAX_SAFE_INTEGER), text.regex(/^\d{1,9}(B|KiB|MiB|GiB)$/, { error: SIZE_EXPECTED })],
  {
    error: SIZE_EXPECTED,
  },
);

/** Every key of `environments/<name>.yaml`. */
export const environmentShape = z.strictObject({
  name: name.describe('Name of the environment: dev, test, prod, …'),
  storage: nonEmptyText.describe(
    'Root of the data: file:///absolute, or file://./folder relative to the project.',
  ),
  schedules: z.enum(['active', 'paused']).optional().describe('Whether schedules fire here; default paused.'),
  vars: z.record(id, z.json(), { error: 'a map from name to value' }).optional(),
  params: z.record(id, z.json(), { error: 'a map from parameter to value' }).optional(),
  secrets: z.record(variable, secretSource, { error: 'a map from name to source' }).optional(),
  pools: z.record(name, wholeNumber(0, 1_000_000), { error: 'a map from pool to number of slots' }).optional(),
  alerts: z
    .strictObject({
      slack: z
        .strictObject({ channel: nonEmptyText, token: secretSource.optional(), api_url: nonEmptyText.optional() })
        .optional(),
      email: z
        .union(
          [
            z.array(address),
            z.strictObject({
              to: oneOrMany(address, `${ADDRESS_EXPECTED} or a list of them`),
              from: nonEmptyText.optional(),
              smtp: z
                .union([nonEmptyText, secretSource], {
                  error: 'smtp://host:port, or { env } or { file } that holds it',
                })
                .optional(),
            }),
          ],
          { error: 'a list of addresses, or a map with to, from, smtp' },
        )
        .optional(),
      on: events.optional(),
      mute: events.optional(),
    })
    .optional(),
  data: z
    .record(
      id.regex(/^(?!interval_)/, { error: 'a name that does not begin with interval_' }),
      text.regex(/^(?![a-z]+:\/\/).+/, { error: 'a folder, absolute or relative to the project' }),
      { error: 'a map from name to folder' },
    )
    .optional()
    .describe('Folders outside the storage that tasks may read, as $DATA_<NAME>.'),
  grants: z
    .array(z.strictObject({ read: name, paths: z.array(nonEmptyText).min(1, { error: 'at least one path' }) }), {
      error: 'a list of { read: environment, paths: […] }',
    })
    .optional(),
  logs: z.strictObject({ max_bytes: size.optional(), max_line_bytes: size.optional() }).optional(),
  retention: duration.optional().describe('How long runs, logs and old versions are kept; default for ever.'),
});
