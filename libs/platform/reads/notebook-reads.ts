import { SluiceError } from '#core';
import { NOTEBOOK } from '#runner';
import { findAttempt, type AttemptKey } from './log-reads.ts';
import type { ReadContext } from './read-context.ts';

/** The executed notebook of an attempt, as JSON; throws `not_found` when it kept none. */
export async function readNotebook(context: ReadContext, key: AttemptKey): Promise<Buffer> {
  const attempt = await findAttempt(context, key);
  const content =
    attempt === null
      ? null
      : await context.storageFor(attempt.environment).readArtefact({ ...attempt.key, name: NOTEBOOK });
  if (content === null)
    throw new SluiceError(
      'not_found',
      `Task run ${key.runId}/${key.taskId}[${key.mapIndex}] has no executed notebook.`,
      {
        hint: 'An attempt of a `notebook` task keeps one when it ends, unless it was lost before.',
      },
    );
  return content;
}
