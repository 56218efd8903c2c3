import { RUN_TRANSITIONS, type RunState } from '#core';
import type { RunDetail } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import { watchRecord, type WatchOptions } from './watch-record.ts';

export function hasEnded(state: RunState): boolean {
  return RUN_TRANSITIONS[state].length === 0;
}

/** Yields the run as it is now and after each change, until it has ended; see `watchRecord`. */
export function watchRun(client: SluiceClient, runId: string, options: WatchOptions): AsyncGenerator<RunDetail> {
  return watchRecord(
    client,
    {
      fetch: () => client.run(runId),
      hasEnded: ({ state }) => hasEnded(state),
      topic: `run:${runId}`,
      isAbout: (event) => !('runId' in event) || event.runId === runId,
    },
    options,
  );
}
