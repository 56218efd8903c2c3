import type { Plugin, Problem } from '#core';
import type { PipelineFile } from '../compile-pipelines.ts';
import { parsePlugin } from './parse-plugin.ts';

/** Plugins by name; null for those whose file has problems. */
export type Plugins = ReadonlyMap<string, Plugin | null>;

export interface PluginFolders {
  readonly plugins: Plugins;
  readonly problems: ReadonlyMap<string, Problem[]>;
  /** Files that stand in no folder of a plugin. */
  readonly others: readonly PipelineFile[];
}

/** A folder `plugins/<name>` with a `plugin.yaml` is a plugin: no YAML below it is a pipeline. */
export function readPluginFolders(files: readonly PipelineFile[], knownFiles?: ReadonlySet<string>): PluginFolders {
  const manifests = files.filter(({ file }) => /^plugins\/[^/]+\/plugin\.ya?ml$/.test(file));
  if (manifests.length === 0) return { plugins: new Map(), problems: new Map(), others: files };
  const plugins = new Map<string, Plugin | null>();
  const problems = new Map<string, Problem[]>();
  for (const { file, text } of manifests) {
    const parsed = parsePlugin(file, text, knownFiles);
    plugins.set(file.split('/')[1] ?? '', parsed.plugin);
    if (parsed.problems.length > 0) problems.set(file, parsed.problems);
  }
  const isInside = ({ file }: PipelineFile): boolean => {
    const [first, folder, rest] = file.split('/');
    return first === 'plugins' && rest !== undefined && plugins.has(folder ?? '');
  };
  return { plugins, problems, others: files.filter((file) => !isInside(file)) };
}
