import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { AttemptResult, EvidenceKey } from '#core';
import type { RootFolder } from './root-folder.ts';

/** Writes an attempt's result so that it is either wholly there or not at all. */
export async function writeEvidence(at: RootFolder, key: EvidenceKey, result: AttemptResult): Promise<void> {
  const folder = at.evidence(key.runId, key.taskId, key.mapIndex);
  const temporary = path.join(folder, `new-${randomBytes(6).toString('hex')}`);
  await mkdir(folder, { recursive: true });
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(`${JSON.stringify(result)}\n`);
    if (at.durable) await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, fileOf(folder, key));
}

/** Null when there is none; see `evidenceOf`. */
export async function readEvidence(at: RootFolder, key: EvidenceKey): Promise<AttemptResult | null> {
  const file = fileOf(at.evidence(key.runId, key.taskId, key.mapIndex), key);
  try {
    return evidenceOf(await readFile(file, 'utf8'), key);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Null when it cannot be read as such, or is about another: then the attempt is run again, which is always right. */
export function evidenceOf(text: string, key: EvidenceKey): AttemptResult | null {
  try {
    const result = JSON.parse(text) as AttemptResult;
    return result.runId === key.runId && result.fence === key.fence ? result : null;
  } catch {
    return null;
  }
}

function fileOf(folder: string, key: EvidenceKey): string {
  return path.join(folder, `${Number(key.fence)}.json`);
}
