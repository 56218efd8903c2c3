import type { Db } from '#store';
import type { Previews } from './previews.ts';
import { readRelease } from './reads/release-reads.ts';

/** What the API does to previews: releases by whatever name people have for them. */
export function createPreviewCommands({ db, previews }: { readonly db: Db; readonly previews: Previews }) {
  return {
    createPreview: async (
      request: { readonly environment: string; readonly release: string; readonly expiresInMs: number },
      actor: string,
    ): Promise<void> => {
      const { environment, expiresInMs } = request;
      await previews.create(environment, await readRelease({ db }, request.release, null), expiresInMs, actor);
    },
    removePreview: (environment: string, actor: string): Promise<void> => previews.remove(environment, actor),
  };
}
