import { readFile } from 'node:fs/promises';
import type { SecretSource } from '#core';
import { SluiceError } from '#core';

/** The value of a secret, read anew each time. Throws `unavailable` naming the source, never a value. */
export async function readSecret(source: SecretSource): Promise<string> {
  if ('file' in source) {
    const text = await readFile(source.file, 'utf8').catch((cause: unknown) => {
      throw new SluiceError('unavailable', `The secret's file ${source.file} cannot be read.`, {
        hint: 'Create it, readable for the user that Sluice runs as.',
        cause,
      });
    });
    return text.replace(/\n$/, '');
  }
  const value = process.env[source.env];
  if (value === undefined)
    throw new SluiceError('unavailable', `The secret's variable ${source.env} is not set in Sluice's environment.`, {
      hint: `Set ${source.env} and start again.`,
    });
  return value;
}

/** The variable that a source names and that is not set; null when it is set, or the source is something else. */
export function unsetVariable(source: SecretSource | string | null | undefined): string | null {
  if (!source || typeof source === 'string' || !('env' in source)) return null;
  return process.env[source.env] === undefined ? source.env : null;
}
