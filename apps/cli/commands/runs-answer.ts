import { InvalidArgumentError, type Command } from 'commander';
import { SluiceError } from '#core';
import type { TaskRun } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { taskName } from '../output/task-name.ts';

export function addAnswerCommand(runs: Command, cli: Cli): void {
  withOutput(
    runs.command('approve').description('continue, or reject, what a task asks: one of kind `approve`, or its gate'),
  )
    .argument('<run>')
    .argument('<task[item]>', 'a task: all of its items that ask; or one item: "train[region=eu]"', askingArgument)
    .option('--reject', 'the task fails')
    .option('--comment <text>', 'why; shown on the run and in the audit trail')
    .action((id: string, asking: Asking, options: AnswerOptions) => answer(cli, id, asking, options));
}

/** Null: all items of the task that ask. */
interface Asking {
  readonly task: string;
  readonly item: string | null;
}

function askingArgument(value: string): Asking {
  const [, task, item] = /^([^[\]\s]+)(?:\[([^[\]]+)\])?$/.exec(value) ?? [];
  if (task === undefined) throw new InvalidArgumentError('Expected TASK or TASK[ITEM].');
  return { task, item: item ?? null };
}

interface AnswerOptions extends OutputOptions {
  readonly reject?: boolean;
  readonly comment?: string;
}

async function answer(cli: Cli, id: string, { task, item }: Asking, options: AnswerOptions): Promise<void> {
  const client = await cli.connect();
  const decision = options.reject ? ('reject' as const) : ('approve' as const);
  const comment = options.comment ?? null;
  const map = item === null ? {} : { map: await mapIndexOf(client, id, task, item) };
  const { answered } = await client.answer(id, task, { decision, comment, ...map });
  // The scheduler takes it up a moment later; what was answered is on record now.
  const rows = answered.map(({ mapKey }) => ({ run: id, task: taskName({ taskId: task, mapKey }), decision, comment }));
  await cli.output(options).list({
    rows,
    name: (row) => row.task,
    columns: [
      { header: 'RUN', cell: (row) => row.run },
      { header: 'TASK', cell: (row) => row.task },
      { header: 'DECISION', cell: (row) => row.decision },
      { header: 'COMMENT', cell: (row) => row.comment, shrinks: true },
    ],
  });
  if (item === null && answered.length > 1)
    cli.say(`No item was named: all ${answered.length} that asked are answered.`);
}

/** An item is named by its key, or by its map index. */
async function mapIndexOf(client: SluiceClient, id: string, task: string, item: string): Promise<number> {
  const rows = (await client.run(id)).taskRuns.filter(({ taskId, mapKey }) => taskId === task && mapKey !== '');
  const named = rows.find(({ mapKey }) => mapKey === item) ?? rows.find(({ mapIndex }) => String(mapIndex) === item);
  if (named !== undefined) return named.mapIndex;
  const asking = rows.filter(({ wait }) => wait?.kind === 'approve');
  throw new SluiceError('not_found', `Task "${task}" of run ${id} has no item "${item}".`, {
    hint: asking.length === 0 ? `See \`sluice runs show ${id}\`.` : `It asks about ${keysOf(asking)}.`,
  });
}

const MOST_KEYS = 8;

function keysOf(asking: readonly TaskRun[]): string {
  const more = asking.length > MOST_KEYS ? ` and ${asking.length - MOST_KEYS} more` : '';
  return `${asking
    .slice(0, MOST_KEYS)
    .map(({ mapKey }) => mapKey)
    .join(', ')}${more}`;
}
