import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from '#core';
import { packageRoot } from '../package-root.ts';

export const shippedFolder = (): string => join(packageRoot(), 'plugins');

/** The plugins that come with Sluice, by name. */
export async function shippedPlugins(): Promise<Plugin[]> {
  const { parsePlugin } = await import('#dag');
  const folders = (await readdir(shippedFolder(), { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const plugins = await Promise.all(
    folders.map(async ({ name }) => {
      const text = await readFile(join(shippedFolder(), name, 'plugin.yaml'), 'utf8');
      return parsePlugin(`plugins/${name}/plugin.yaml`, text).plugin;
    }),
  );
  return plugins.filter((plugin) => plugin !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}
