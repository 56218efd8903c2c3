import type { PruneReport } from '#contracts';
import { pruneHistory, type PruneParts, type PruneRequest } from './prune-history.ts';

/** What the API does about runs past the retention of their environment. */
export function createHistoryCommands(parts: PruneParts) {
  return {
    pruneHistory: (request: PruneRequest, actor: string): Promise<PruneReport> => pruneHistory(parts, request, actor),
  };
}
