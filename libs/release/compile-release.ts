import { type CompiledPipeline, type Problem, SluiceError } from '#core';
import { type CompiledBefore, compilePipelines, isPart, ownFiles } from '#dag';
import type { Snapshot } from './snapshot.ts';

export interface CompiledRelease {
  readonly pipelines: readonly CompiledPipeline[];
  /** By file, only files that have some. */
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
}

/**
 * Compiles every `.yaml` and `.yml` of a snapshot; broken files have problems, the others their pipeline. Given the same
 * `before` as last time, only changed files are parsed.
 */
export function compileRelease(
  snapshot: Pick<Snapshot, 'files' | 'texts'>,
  before: CompiledBefore = new Map(),
): CompiledRelease {
  const files = ownFiles([...snapshot.texts].map(([file, text]) => ({ file, text })));
  const known = new Set(snapshot.files.map(({ path }) => path));
  try {
    const { pipelines, problems } = compilePipelines(files, known, before);
    return { pipelines, problems: Object.fromEntries([...problems].filter(([, list]) => list.length > 0)) };
  } catch (error) {
    return compileApart(files, known, error);
  }
}

/**
 * The compiler never throws for what an author writes. Should it have a defect, one file that meets it must not stop all
 * others: each is compiled alone, and what throws becomes that file's problem.
 */
function compileApart(
  files: readonly { file: string; text: string }[],
  known: ReadonlySet<string>,
  first: unknown,
): CompiledRelease {
  const pipelines: CompiledPipeline[] = [];
  const problems: Record<string, readonly Problem[]> = {};
  const parts = files.filter(({ file }) => isPart(file));
  for (const file of files) {
    if (isPart(file.file)) continue;
    try {
      const alone = compilePipelines([file, ...parts], known);
      pipelines.push(...alone.pipelines);
      for (const [name, list] of alone.problems) if (list.length > 0) problems[name] = list;
    } catch (error) {
      problems[file.file] = [defect(file.file, error)];
    }
  }
  if (Object.keys(problems).length === 0)
    throw new SluiceError('internal', 'The compiler failed on all files together.', { cause: first });
  return { pipelines, problems };
}

function defect(file: string, error: unknown): Problem {
  const message = `This file meets a defect in Sluice: ${error instanceof Error ? error.message : String(error)}`;
  return {
    file,
    line: 1,
    column: 1,
    message,
    hint: 'Please report it with the file; the other pipelines are not affected.',
  };
}
