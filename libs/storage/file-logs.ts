import type { LogKey, LogStore } from '#core';
import { followLog } from './follow-log.ts';
import { LogCursor } from './log-cursor.ts';
import { LogFolder } from './log-folder.ts';
import { openLogWriter } from './log-writer.ts';
import { RootFolder } from './root-folder.ts';
import { searchLog } from './search-log.ts';

/**
 * Logs of attempts below an environment's storage root: files of JSON lines, a new one each MiB, named by their first
 * line. A log that was never written to reads as empty and not complete: its attempt's state says whether more comes.
 */
export function createFileLogs({ root }: { readonly root: string }): LogStore {
  const at = new RootFolder(root, false);
  const folderOf = (key: LogKey): string => at.logs(key.runId, key.taskId, key.mapIndex, key.number);
  return {
    open: (key) => openLogWriter(folderOf(key)),
    read: async (key, { fromLine, limit }) => {
      const cursor = new LogCursor(new LogFolder(folderOf(key)), fromLine);
      const lines = await cursor.read(limit);
      return { lines, nextLine: cursor.nextLine, complete: cursor.complete };
    },
    search: (key, text, limit) => searchLog(new LogFolder(folderOf(key)), text, limit),
    follow: async (key, fromLine, onLines, signal) => {
      const log = new LogFolder(folderOf(key));
      await followLog({ source: log, folder: log.folder, looks: 1 }, fromLine, onLines, signal);
    },
  };
}
