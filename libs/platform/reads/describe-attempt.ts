import { unreachable, type CompiledPipeline, type CompiledTask, type TaskBody } from '#core';
import { buildAssignment, ownRun, planRun } from '#engine';
import type { apiQueries } from '#store';
import { httpText } from './http-text.ts';
import { pluginText } from './plugin-text.ts';
import type { ReadContext } from './read-context.ts';
import type { RunRow } from './run-reads.ts';
import { waitText } from './wait-text.ts';

export interface AttemptDescription {
  /** What was or will be executed. */
  readonly command: string;
  readonly env: Record<string, string>;
}

/** Loading a wider run only to show one of its commands costs too much. */
const MOST_TASK_RUNS = 5000;

/**
 * The command and variables of a task run's newest attempt, resolved as the engine resolves them; secrets are not among
 * them. Where that is not possible (an output that is not there yet) the command stands as in the file, without variables.
 */
export async function describeAttempt(
  context: ReadContext,
  run: RunRow,
  pipeline: CompiledPipeline | null,
  task: CompiledTask,
  row: Awaited<ReturnType<typeof apiQueries.readTaskRun>>,
  mapIndex: number,
): Promise<AttemptDescription> {
  const command = commandOf(task.body);
  const environment = context.environment(run.environment);
  const taskIndex = pipeline?.tasks.indexOf(task) ?? -1;
  const size = Object.values(run.counts).reduce((sum, count) => sum + count, 0);
  if (pipeline === null || environment === null || taskIndex < 0 || size > MOST_TASK_RUNS) return { command, env: {} };
  const taskRuns = await context.store.loadTaskRuns([run.id]);
  const owned = ownRun({ ...run, leaseToken: '0' }, planRun(pipeline, environment.config.pools), environment, taskRuns);
  const identity = {
    attemptId: '0',
    taskIndex,
    mapIndex,
    number: Math.max(1, row?.tries ?? 1),
    fence: row?.fence ?? 1,
    replicas: null,
  };
  const built = buildAssignment(owned, identity);
  return { command, env: built.ok ? { ...built.assignment.env } : {} };
}

function commandOf(body: TaskBody): string {
  switch (body.kind) {
    case 'run':
      return body.script;
    case 'node':
      return `${body.file}#${body.export}`;
    case 'python':
      return body.function === null
        ? (body.file ?? body.module ?? '')
        : `${body.file ?? body.module ?? ''}:${body.function}`;
    case 'notebook':
      return body.file;
    case 'spark':
      return [body.file, ...body.args.map(String)].join(' ');
    case 'sql':
      return body.text ?? body.file ?? '';
    case 'http':
      return httpText(body);
    case 'approve':
      return body.message;
    case 'call':
      return body.pipeline;
    case 'wait':
      return waitText(body.condition);
    case 'uses':
      return pluginText(body);
    default:
      return unreachable(body);
  }
}
