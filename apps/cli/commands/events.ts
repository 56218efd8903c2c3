import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';
import { withEnvironment } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

interface SendOptions extends OutputOptions {
  readonly env: string;
  readonly key?: string;
}

export function addEventsCommands(program: Command, cli: Cli): void {
  const events = program.command('events').description('what happens outside and starts runs');
  withOutput(withEnvironment(events.command('send')))
    .description('send an event; pipelines with `schedule: { events: … }` that name it start')
    .argument('<event>')
    .argument('[payload]', 'JSON, from which the pipelines make their parameters', '{}')
    .option('--key <key>', 'sent again with the same key it is the same event, and starts nothing more')
    .action((event: string, payload: string, options: SendOptions) => send(cli, event, payload, options));
}

async function send(cli: Cli, event: string, payload: string, options: SendOptions): Promise<void> {
  const client = await cli.connect();
  // Inside a task: the runs that it starts are its run's, and a loop of them comes to an end.
  const { SLUICE_RUN_ID: run, SLUICE_ENV: of } = cli.io.env;
  const sender = of === options.env ? run : undefined;
  const outcome = await client.sendEvent(event, options.env, parsed(payload), { key: options.key, sender });
  if (outcome.repeated) cli.say(`The key ${outcome.key} was sent before; these runs were started then.`);
  await cli.output(options).list({
    rows: outcome.runs,
    name: ({ runId }) => runId,
    columns: [
      { header: 'ID', cell: ({ runId }) => runId },
      { header: 'PIPELINE', cell: ({ pipeline }) => pipeline, shrinks: true },
      { header: 'STATE', cell: ({ state }) => state },
      { header: 'REASON', cell: ({ reason }) => reason, shrinks: true },
    ],
  });
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    throw new SluiceError('bad_request', `The payload ${payload.slice(0, 200)} is not JSON.`, {
      hint: `Write for example '{"file": "a.csv"}'.`,
    });
  }
}
