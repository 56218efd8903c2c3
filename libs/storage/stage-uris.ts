import { pathToFileURL } from 'node:url';
import type { Staged, StageRequest } from '#core';
import type { RootFolder } from './root-folder.ts';
import { type OpenVersion, pinnedFolder, stage } from './stage.ts';

/** An attempt that reads and writes `file://` itself: versions where they lie, and its staging area. */
export async function stageUris(at: RootFolder, request: StageRequest): Promise<Staged> {
  const uriHere: OpenVersion = async (read, pinned) => folderUri(await pinnedFolder(at, read, pinned));
  const inputs = await urisOfReads(request, uriHere);
  const staged = await stage(at, { ...request, reads: [] }, uriHere);
  const outputs = Object.entries(staged.folders).map(([variable, folder]) => [variable, folderUri(folder)] as const);
  return { ...staged, folders: { ...Object.fromEntries(outputs), ...inputs } };
}

/** By variable, one URI a line for each version: a window of partitions has many, missing data none. */
export async function urisOfReads(
  { reads, elsewhere }: StageRequest,
  uriHere: OpenVersion,
): Promise<Record<string, string>> {
  const uriOf: OpenVersion = (read, pinned) =>
    pinned.environment === undefined || elsewhere === undefined
      ? uriHere(read, pinned)
      : elsewhere(pinned.environment).pinnedUri(read, pinned);
  const found = reads.map(async (read) => {
    const uris = await Promise.all(read.versions.map((pinned) => uriOf(read, pinned)));
    return [read.variable, uris.join('\n')] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

export function folderUri(folder: string): string {
  return pathToFileURL(`${folder}/`).href;
}
