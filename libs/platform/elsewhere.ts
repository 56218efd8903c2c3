import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type SecretSource, SluiceError } from '#core';
import { createClient, uploadRelease, type SluiceClient } from '#contracts';
import type { AskedElsewhere, Elsewhere } from '#engine';
import type { ReleaseStore } from '#release';
import { apiQueries, type Db } from '#store';

export interface ElsewhereParts {
  readonly db: Db;
  readonly releases: Pick<ReleaseStore, 'get' | 'folder'>;
  readonly readSecret: (source: SecretSource) => Promise<string>;
}

/** Other installations, through their API. Tokens are read for each request: they may change while we run. */
export function createElsewhere(parts: ElsewhereParts): Elsewhere {
  const clientOf = async ({ url, token }: { readonly url: string; readonly token: SecretSource }) =>
    createClient({ baseUrl: url, token: await parts.readSecret(token) });
  return {
    request: async (gate, asked) => request(await clientOf(gate), parts, asked),
    cancel: async (gate, id) => void (await (await clientOf(gate)).cancelPromotion(id)),
    look: async (gate, id) => {
      const { state, detail, finishedAt, gates } = await (await clientOf(gate)).promotion(id);
      return {
        ...{ state, detail, finished: finishedAt !== null },
        gates: gates.map((one) => ({ name: one.name, state: one.state, detail: one.detail })),
      };
    },
  };
}

async function request(client: SluiceClient, parts: ElsewhereParts, asked: AskedElsewhere): Promise<string> {
  const { environment, release, kind, verified, ...more } = asked;
  if (kind === 'rollback') return (await client.rollBack({ environment, to: release, ...more })).id;
  await sendRelease(client, parts, release);
  return (await client.promote({ environment, release, kind, verified: [...verified], ...more })).id;
}

/** With where it came from, as it was recorded here. */
async function sendRelease(client: SluiceClient, { db, releases }: ElsewhereParts, digest: string): Promise<void> {
  const [stored, [row], folder] = await Promise.all([
    releases.get(digest),
    apiQueries.releasesByDigest(db, [digest]),
    releases.folder(digest),
  ]);
  if (stored === null) throw new SluiceError('not_found', `The contents of release ${digest.slice(0, 12)} are gone.`);
  const contents = { ...stored, read: (file: { path: string }) => readFile(path.join(folder, file.path)) };
  const sent = await uploadRelease(client, contents, { branch: stored.branch, buildUrl: row?.buildUrl ?? null });
  if (sent.digest === digest) return;
  throw new SluiceError('conflict', `Release ${digest.slice(0, 12)} is ${sent.digest.slice(0, 12)} there.`, {
    hint: 'Do both installations have the same version of Sluice?',
  });
}
