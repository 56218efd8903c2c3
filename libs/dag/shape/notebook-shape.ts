import { z } from 'zod';
import { expecting } from './expecting.ts';
import { id, nonEmptyText } from './names.ts';

export const notebookShape = z.union(
  [
    nonEmptyText,
    z.strictObject({
      file: nonEmptyText.describe('A .ipynb file relative to dags/.'),
      params: z
        .record(id, z.json({ error: 'a text, number, boolean, list or map' }), expecting('a map', '{ region: north }'))
        .optional()
        .describe('Injected besides the parameters of the run.'),
      save: nonEmptyText
        .optional()
        .describe(
          'File that the executed notebook is written to: a path of `writes`, then its name: report/daily.ipynb.',
        ),
    }),
  ],
  expecting('a .ipynb file, or a map with file, params, save', 'reports/daily.ipynb'),
);

export type NotebookShape = z.infer<typeof notebookShape>;
