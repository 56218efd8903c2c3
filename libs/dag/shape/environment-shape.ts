import { z } from 'zod';
import { ALERT_EVENTS } from '#core';
import { expecting } from './expecting.ts';
import { promotionShape } from './promotion-shape.ts';
import { resourcesShape } from './resources-shape.ts';
import { duration, id, name, nonEmptyText, oneOrMany, text, variable, wholeNumber } from './names.ts';

const secretSource = z.union(
  [z.strictObject({ env: variable }), z.strictObject({ file: nonEmptyText })],
  expecting('where the secret comes from: a map with env or file', '{ env: PROD_DSN }'),
);

const addressWords = expecting('an address', 'team@example.com');
const address = z.string(addressWords).regex(/^[^\s@:,;<>]+@[^\s@:,;<>]+$/, addressWords);
const slackMember = z.string().regex(/^[UW][A-Z0-9]{2,20}$/, expecting('the id of a Slack member', 'U024BE7LH'));
const events = oneOrMany(z.enum(ALERT_EVENTS), expecting('an event or a list of events', '[run.failed]'));
const sizeWords = expecting('a size in bytes, KiB, MiB or GiB', '16MiB');
const size = z.union(
  [wholeNumber(1, Number.MAX_SAFE_INTEGER), text.regex(/^\d{1,9}(B|KiB|MiB|GiB)$/, sizeWords)],
  sizeWords,
);
const valuesOf = (what: string) => z.record(id, z.json(), expecting(`a map from ${what} to value`, '{ region: eu }'));

const dataName = id.regex(/^(?!interval_)/, expecting('a name that does not begin with interval_', 'flights'));
const folderWords = expecting('a folder, absolute or relative to the project', 'data/flights');
const folder = z.string(folderWords).regex(/^(?![a-z0-9+.-]+:\/\/)[^\0]+$/i, folderWords);

/** Every key of `environments/<name>.yaml`. */
export const environmentShape = z.strictObject(
  {
    name: name.describe('Name of the environment: dev, test, prod, …'),
    storage: nonEmptyText
      .optional()
      .describe('Root of the data: file:///absolute, file://./folder relative to the project, or s3://bucket/prefix.'),
    installation: z
      .strictObject({
        url: text.regex(
          /^https?:\/\/[^\s/@]+$/,
          expecting('the address of a Sluice server', 'https://sluice.example.com'),
        ),
        token: secretSource,
      })
      .optional()
      .describe('Another installation that has this environment; releases are promoted there, nothing runs here.'),
    schedules: z.enum(['active', 'paused']).optional().describe('Whether schedules fire here; default paused.'),
    vars: valuesOf('name').optional(),
    params: valuesOf('parameter').optional(),
    secrets: z
      .record(variable, secretSource, expecting('a map from name to source', '{ DSN: { env: PROD_DSN } }'))
      .optional(),
    pools: z
      .record(name, wholeNumber(0, 1_000_000), expecting('a map from pool to number of slots', '{ gpu: 1 }'))
      .optional(),
    resources: resourcesShape
      .optional()
      .describe('What tasks together may take here; default as much as the machines have that execute them.'),
    alerts: z
      .strictObject({
        slack: z
          .strictObject({
            channel: nonEmptyText,
            token: secretSource.optional(),
            api_url: nonEmptyText.optional(),
            approvers: z
              .record(slackMember, nonEmptyText, expecting('a map from member to token', '{ U024BE7LH: anna }'))
              .optional()
              .describe('Who may decide with the buttons of a message: member ids, and the names of their tokens.'),
          })
          .optional(),
        email: z
          .union(
            [
              z.array(address),
              z.strictObject({
                to: oneOrMany(address, expecting('an address or a list of addresses', '[team@example.com]')),
                from: nonEmptyText.optional(),
                smtp: z
                  .union(
                    [nonEmptyText, secretSource],
                    expecting('a URL, or a map with env or file', 'smtp://localhost:25'),
                  )
                  .optional(),
              }),
            ],
            expecting('a list of addresses, or a map with to, from, smtp', '[team@example.com]'),
          )
          .optional(),
        on: events.optional(),
        mute: events.optional(),
      })
      .optional(),
    data: z
      .record(dataName, folder, expecting('a map from name to folder', '{ flights: data/flights }'))
      .optional()
      .describe('Folders outside the storage that tasks may read, as $DATA_<NAME>.'),
    grants: z
      .array(
        z.strictObject({
          read: name,
          paths: z.array(nonEmptyText).min(1, expecting('at least one path', '[features]')),
        }),
        expecting('a list of grants', '[{ read: prod, paths: [features] }]'),
      )
      .optional(),
    logs: z.strictObject({ max_bytes: size.optional(), max_line_bytes: size.optional() }).optional(),
    ...promotionShape,
    verify_sample: z
      .strictObject({ every: duration, runs: wholeNumber(1, 100).optional() })
      .optional()
      .describe('How often scheduled runs, chosen by chance, are executed again and compared; default never.'),
    retention: duration
      .optional()
      .describe('How long ended runs and their logs are kept before they are archived; default for ever.'),
  },
  { error: 'a map' },
);
