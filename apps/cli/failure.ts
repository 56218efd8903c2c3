import { SluiceError, type Problem } from '#core';
import type { Io } from './io.ts';
import { cleanLine } from './output/clean-text.ts';
import { styleFor } from './output/style.ts';

/** Any thrown value as a SluiceError; what is none of ours is `internal`, except the few refusals of the system a user can mend. */
export function describeFailure(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new SluiceError('not_found', `There is no file ${path ?? ''}.`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new SluiceError('unavailable', `No right to use ${path ?? 'a file'} (${code}).`, {
      hint: 'Check the owner and the rights of the file and its folders.',
      cause: error,
    });
  if (code === 'ENOSPC')
    return new SluiceError('unavailable', `No space is left on the disk of ${path ?? 'this folder'}.`, {
      cause: error,
    });
  return new SluiceError('internal', message ?? String(error), {
    hint: 'This looks like a defect in Sluice; SLUICE_DEBUG=1 shows where.',
    cause: error,
  });
}

/** Writes the failure to stderr: for people with its hint, or as one JSON document `{"error":{code,message,hint,at}}`. */
export function printFailure(io: Io, failure: SluiceError, json: boolean): void {
  const problems = (failure.details.problems ?? []) as readonly Problem[];
  const first = problems[0];
  if (json) {
    const at = first ? `${first.file}:${first.line}:${first.column}` : null;
    const body = { code: failure.code, message: failure.message, hint: failure.hint ?? null, at };
    const error = problems.length > 0 ? { ...body, problems } : body;
    io.err.write(`${JSON.stringify({ error })}\n`);
  } else {
    const style = styleFor(io, io.err);
    io.err.write(`${style.red('error:')} ${cleanLine(failure.message)}\n`);
    for (const { file, line, column, message, hint } of problems) {
      io.err.write(`  ${cleanLine(`${file}:${line}:${column}: ${message}`)}\n`);
      if (hint) io.err.write(`    ${style.dim('hint:')} ${cleanLine(hint)}\n`);
    }
    if (failure.hint) io.err.write(`${style.dim('hint:')} ${cleanLine(failure.hint)}\n`);
  }
  if (io.env.SLUICE_DEBUG) io.err.write(`${stackOf(failure)}\n`);
}

function stackOf(failure: SluiceError): string {
  const cause = failure.cause instanceof Error ? failure.cause : failure;
  return cause.stack ?? String(cause);
}
