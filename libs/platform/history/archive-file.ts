import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type ObjectStore, SluiceError } from '#core';
import type { RunArchive, WrittenArchive } from '#store';

/** Below the storage root; reserved, as all of `.sluice/` is. */
const FOLDER = '.sluice/history';
const FORMAT = 1;

/**
 * Writes ended runs of one day as gzipped NDJSON, a line each, and beside it a manifest that says which runs it holds and
 * what its hash is. The same runs make the same file, so that a try again after a kill replaces it.
 */
export async function writeArchive(
  objects: ObjectStore,
  environment: string,
  day: string,
  archives: readonly RunArchive[],
): Promise<WrittenArchive> {
  const content = gzipSync(archives.map((archive) => `${JSON.stringify(archive)}\n`).join(''));
  const sha256 = createHash('sha256').update(content).digest('hex');
  const name = `${FOLDER}/${day}/${sha256.slice(0, 16)}`;
  const key = `${name}.ndjson.gz`;
  const about = { format: FORMAT, environment, day, file: key, sha256, bytes: content.length };
  const runs = archives.map(({ run: { id, pipeline, state, finishedAt }, taskRuns }) => ({
    ...{ id, pipeline, state, finishedAt },
    taskRuns: taskRuns.length,
  }));
  await objects.put(key, content);
  await objects.put(`${name}.json`, `${JSON.stringify({ ...about, runs }, null, 2)}\n`);
  return { environment, day, key, sha256, bytes: content.length };
}

/** Throws `not_found` when the file is gone, `conflict` when it is not what was written. */
export async function readArchived(
  objects: ObjectStore,
  { key, sha256 }: Pick<WrittenArchive, 'key' | 'sha256'>,
  runId: string,
): Promise<RunArchive> {
  const content = await objects.get(key);
  if (content === null)
    throw new SluiceError('not_found', `Run ${runId} was archived, and ${objects.name}/${key} is gone.`, {
      hint: 'Restore the file from a backup of the storage.',
    });
  if (createHash('sha256').update(content).digest('hex') !== sha256)
    throw new SluiceError('conflict', `${objects.name}/${key} is not what was written there.`, {
      hint: 'Restore the file from a backup of the storage.',
    });
  for (const line of gunzipSync(content).toString('utf8').trimEnd().split('\n')) {
    const archive = JSON.parse(line) as RunArchive;
    if (archive.run.id === runId) return archive;
  }
  throw new SluiceError('conflict', `${objects.name}/${key} does not hold run ${runId}.`);
}
