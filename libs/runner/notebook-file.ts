import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AssignmentBody } from '#core';
import type { AttemptOrder } from './task-runner.ts';

type NotebookBody = Extract<AssignmentBody, { kind: 'notebook' }>;

/** Name under which an attempt keeps its executed notebook. */
export const NOTEBOOK = 'notebook.ipynb';
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Keeps the notebook as the attempt left it, however it ended, with secrets masked; a successful one also where `save`
 * says. A notebook that is too large is not kept, which is no failure unless it was to be saved.
 */
export async function keepNotebook(
  file: string,
  { save }: NotebookBody,
  order: AttemptOrder,
  succeeded: boolean,
): Promise<void> {
  if (!existsSync(file)) return;
  const { size } = await stat(file);
  if (size > MOST_BYTES) {
    const message = `the executed notebook has ${size} bytes; at most ${MOST_BYTES} are kept`;
    if (save !== null && succeeded)
      throw new Error(`${message}: print less, or write a file below a path of \`writes\``);
    order.log.say(message);
    return;
  }
  const notebook = order.masker.maskValue(JSON.parse(await readFile(file, 'utf8')));
  const content = Buffer.from(`${JSON.stringify(notebook, null, 1)}\n`);
  await order.keep(NOTEBOOK, content);
  const written = order.assignment.writes.find(({ name }) => name === save?.path);
  if (!succeeded || save === null || written === undefined) return;
  const saved = join(order.folders[written.variable]!, save.file);
  await mkdir(dirname(saved), { recursive: true });
  await writeFile(saved, content);
}

export async function removeNotebook(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.new`, { force: true });
}
