import { z } from 'zod';
import { expecting } from './expecting.ts';
import { duration, id, nonEmptyText, text, variable, wholeNumber } from './names.ts';

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const status = wholeNumber(100, 599);
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, expecting('the name of an HTTP header', 'Accept'));
const secretHeader = z.strictObject({
  secret: variable,
  prefix: text.optional().describe('What stands before the secret, such as "Token ".'),
});
const scalarWords = expecting('a text, number or boolean, or a list of them', '${{ ds }}');
const scalar = z.union([text, z.number(), z.boolean()], scalarWords);

export const httpShape = z.union(
  [
    nonEmptyText,
    z.strictObject({
      url: nonEmptyText.describe('http:// or https://, or an address of the environment: ${{ env.vars.api }}/orders.'),
      method: z.enum(HTTP_METHODS).optional().describe('Default GET; POST with `json` or `body`.'),
      query: z
        .record(nonEmptyText, z.union([scalar, z.array(scalar)], scalarWords), expecting('a map', '{ day: 1 }'))
        .optional()
        .describe('Parameters behind the `?`, encoded; a list repeats its name.'),
      headers: z
        .record(
          headerName,
          z.union([text, secretHeader], expecting('a text, or { secret: NAME }', '{ secret: API_KEY }')),
          expecting('a map from header to text', '{ Accept: application/json }'),
        )
        .optional(),
      bearer: variable.optional().describe('Secret that is sent as `Authorization: Bearer …`.'),
      json: z.json({ error: 'a text, number, boolean, list or map' }).optional().describe('Sent as JSON.'),
      body: text.optional().describe('Sent as it is.'),
      expect: z
        .strictObject(
          {
            status: z
              .union([status, z.array(status).min(1)], expecting('an HTTP status, or a list of them', '200'))
              .optional()
              .describe('What the answer must be; default 200 to 299.'),
            expr: nonEmptyText.optional().describe('What must hold of `response` besides.'),
          },
          expecting('a map with status, expr', '{ status: 201, expr: response.body.ok }'),
        )
        .optional(),
      outputs: z
        .record(id, nonEmptyText, expecting('a map from output to expression', '{ id: response.body.id }'))
        .optional()
        .describe('Outputs of the task, as expressions over `response`; default: status.'),
      save: nonEmptyText
        .optional()
        .describe('File that the answer is written to: a path of `writes`, then its name: raw/orders.json.'),
      timeout: duration.optional().describe('From the first byte asked to the last one answered; default 30s.'),
    }),
  ],
  expecting('an address, or a map with url, method, json, expect, …', 'https://example.org/refresh'),
);

export type HttpShape = z.infer<typeof httpShape>;
