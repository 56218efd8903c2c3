import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SluiceError } from '#core';
import { writeNew, type Written } from '../init/write-project.ts';
import { shippedFolder, shippedPlugins } from './shipped-plugins.ts';

export interface AddedPlugin {
  readonly name: string;
  readonly version: string;
  readonly written: readonly Written[];
}

/** Says in the types of every plugin what Sluice gives it; lies beside the plugins that refer to it. */
const CONTRACT = 'contract.d.ts';

/**
 * Puts a plugin into dags/plugins, and so into every release: the code of one that comes with Sluice, or for an npm
 * package its name and exact version. A file of a plugin that is there is never changed.
 */
export async function addToProject(root: string, wanted: string): Promise<AddedPlugin> {
  const shipped = (await shippedPlugins()).find(({ name }) => name === wanted);
  if (shipped === undefined) return addPackage(root, wanted);
  const { name, version } = shipped;
  const files = await readdir(join(shippedFolder(), name));
  const sources = [CONTRACT, ...files.filter((file) => !file.includes('.test.')).map((file) => `${name}/${file}`)];
  const written: Written[] = [];
  for (const source of sources.sort()) {
    const file = `dags/plugins/${source}`;
    written.push({ file, was: await writeNew(join(root, file), await readFile(join(shippedFolder(), source))) });
  }
  return { name, version, written };
}

async function addPackage(root: string, wanted: string): Promise<AddedPlugin> {
  const refuse = (message: string, hint: string): SluiceError => new SluiceError('not_found', message, { hint });
  if (!/^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/.test(wanted))
    throw new SluiceError('bad_request', `"${wanted}" is neither a plugin of Sluice nor the name of an npm package.`, {
      hint: '`sluice plugins list` shows those that come with Sluice.',
    });
  const folders = [join(root, 'dags', 'node_modules', wanted), join(root, 'node_modules', wanted)];
  const [found] = (await Promise.all(folders.map(readPackage))).filter((each) => each !== null);
  if (found === undefined)
    throw refuse(
      `There is no plugin "${wanted}" with Sluice, and no package of this name in node_modules.`,
      `\`npm install ${wanted}\`, or \`sluice plugins list\` for those that come with Sluice.`,
    );
  if (found.manifest === null)
    throw refuse(`The package ${wanted} is no plugin: it has no plugin.yaml.`, 'Call it from a `node` task.');
  const [{ parsePlugin }, { parseDocument }] = await Promise.all([import('#dag'), import('yaml')]);
  const document = parseDocument(found.manifest);
  const name = String(document.get('name'));
  document.set('version', found.version);
  document.set('package', wanted);
  const text = document.toString();
  const { plugin, problems } = parsePlugin(`plugins/${name}/plugin.yaml`, text);
  if (plugin === null)
    throw new SluiceError('invalid_config', `The plugin.yaml of ${wanted} has problems.`, { details: { problems } });
  const file = `dags/plugins/${plugin.name}/plugin.yaml`;
  return {
    name: plugin.name,
    version: plugin.version,
    written: [{ file, was: await writeLock(join(root, file), text, wanted) }],
  };
}

async function readPackage(folder: string): Promise<{ version: string; manifest: string | null } | null> {
  const read = (file: string): Promise<string | null> => readFile(join(folder, file), 'utf8').catch(() => null);
  const [about, manifest] = await Promise.all([read('package.json'), read('plugin.yaml')]);
  return about === null ? null : { version: (JSON.parse(about) as { version: string }).version, manifest };
}

/** What notes the same package is brought up to date; anything else that is there is somebody's own plugin. */
async function writeLock(file: string, text: string, wanted: string): Promise<Written['was']> {
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before === text) return 'left as it is';
  const { parse } = await import('yaml');
  if (before !== null && (parse(before) as { package?: unknown } | null)?.package !== wanted)
    throw new SluiceError('conflict', `${file} is another plugin.`, { hint: 'Rename one of the two.' });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return before === null ? 'written' : 'renewed';
}
