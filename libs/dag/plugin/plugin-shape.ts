import { z } from 'zod';
import { expecting } from '../shape/expecting.ts';
import { nonEmptyText, text, yesNo } from '../shape/names.ts';

export const PLUGIN_NAME = /^[a-z][a-z0-9-]{0,62}$/;

const nameWords = expecting('a name of lower-case letters, digits and - that starts with a letter', 'dbt');
const versionWords = expecting('a version of three numbers', '1.0.0');
const packageWords = expecting('the name of an npm package', '@acme/sluice-plugin');
const entryWords = expecting('a .js, .mjs, .cjs, .ts or .mts file below the folder of the plugin', 'plugin.mjs');

/** Keys of `plugins/<name>/plugin.yaml`. */
export const pluginShape = z.strictObject(
  {
    name: z.string(nameWords).regex(PLUGIN_NAME, nameWords),
    version: z.string(versionWords).regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/, versionWords),
    description: text.optional(),
    package: z
      .string(packageWords)
      .max(214, packageWords)
      .regex(/^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/, packageWords)
      .optional(),
    entry: nonEmptyText.regex(/^(?!.*(^|\/)\.{0,2}(\/|$))[\w./-]+\.[cm]?[jt]s$/, entryWords),
    network: yesNo.optional(),
    with: z.record(z.string(), z.json(), expecting('a JSON Schema of a map', '{ type: object, properties: {} }')),
  },
  expecting('a map', '{ name: dbt, version: 1.0.0, entry: plugin.mjs, with: { type: object } }'),
);
