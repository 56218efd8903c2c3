import type { TaskBody } from './pipeline.ts';

/** Versions of what executes tasks on one machine: `node`, `bash`, `python`, `duckdb`, `platform`; what is not there is absent. */
export type ToolVersions = Readonly<Record<string, string>>;

export interface ToolChange {
  readonly tool: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Kinds without a tool are executed by Sluice itself. */
const TOOLS: Readonly<Partial<Record<TaskBody['kind'], string>>> = {
  run: 'bash',
  node: 'node',
  python: 'python',
  notebook: 'python',
  spark: 'python',
  sql: 'duckdb',
  uses: 'node',
};

/**
 * What two runs' tasks of these kinds were executed by that is not the same; null when that was not recorded for one of
 * them. A run may have been executed by several machines.
 */
export function compareTools(
  kinds: Iterable<TaskBody['kind']>,
  before: readonly (ToolVersions | null)[],
  after: readonly (ToolVersions | null)[],
): readonly ToolChange[] | null {
  const [old, now] = [known(before), known(after)];
  if (old === null || now === null) return null;
  const tools = [...new Set([...[...kinds].flatMap((kind) => TOOLS[kind] ?? []), 'platform'])].sort();
  return tools.flatMap((tool): ToolChange[] => {
    const [was, is] = [versionOf(old, tool), versionOf(now, tool)];
    return was === is ? [] : [{ tool, before: was, after: is }];
  });
}

/** One version for each tool, several separated by commas; empty when nothing was recorded. */
export function mergeTools(versions: readonly (ToolVersions | null)[]): ToolVersions {
  const all = versions.filter((one) => one !== null);
  const tools = [...new Set(all.flatMap((one) => Object.keys(one)))].sort();
  return Object.fromEntries(tools.map((tool) => [tool, versionOf(all, tool) ?? '']));
}

function known(versions: readonly (ToolVersions | null)[]): readonly ToolVersions[] | null {
  const all = versions.filter((one) => one !== null);
  return all.length === versions.length && all.length > 0 ? all : null;
}

function versionOf(versions: readonly ToolVersions[], tool: string): string | null {
  const found = new Set(
    versions.map((one) => new Map(Object.entries(one)).get(tool)).filter((one) => one !== undefined),
  );
  return found.size === 0 ? null : [...found].sort().join(', ');
}
