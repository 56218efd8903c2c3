import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { AlertDelivery } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';

interface AlertOptions extends OutputOptions {
  readonly env: string;
}

export function addAlertsCommands(program: Command, cli: Cli): void {
  const alerts = program.command('alerts').description('who was told what');
  withOutput(withEnvironment(alerts.command('list').alias('ls')))
    .description('deliveries of alerts, newest first')
    .option('-l, --limit <n>', 'how many', countArgument, 20)
    .action((options: AlertOptions & { limit: number }) => listAlerts(cli, options));
  withOutput(withEnvironment(alerts.command('test')))
    .description('send a test alert over every route of an environment and say how it went')
    .option('--to <target>', 'only to this target, such as slack:#ml-alerts or email:a@b.example')
    .action((options: AlertOptions & { to?: string }) => testAlerts(cli, options));
}

const COLUMNS: readonly Column<AlertDelivery>[] = [
  { header: 'ID', cell: (row) => row.id, wide: true },
  { header: 'AT', cell: (row) => ({ kind: 'instant', at: row.at }) },
  { header: 'EVENT', cell: (row) => row.event },
  { header: 'TARGET', cell: (row) => row.target, shrinks: true },
  { header: 'STATE', cell: (row) => row.state },
  { header: 'TRIES', cell: (row) => row.tries, align: 'right' },
  { header: 'PIPELINE', cell: (row) => row.pipeline },
  { header: 'RUN', cell: (row) => row.runId },
  { header: 'TITLE', cell: (row) => row.title, shrinks: true },
  { header: 'DETAIL', cell: (row) => row.detail, shrinks: true, wide: true },
];

async function listAlerts(cli: Cli, options: AlertOptions & { limit: number }): Promise<void> {
  const client = await cli.connect();
  const { items: rows } = await client.alerts({ env: options.env, limit: options.limit });
  if (rows.length === 0) cli.say(`No alerts in ${options.env} yet.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.id });
}

async function testAlerts(cli: Cli, options: AlertOptions & { to?: string }): Promise<void> {
  const client = await cli.connect();
  const rows = await client.testAlerts(options.env, options.to);
  if (rows.length === 0)
    throw new SluiceError('not_found', `Environment ${options.env} has no route to send a test alert over.`, {
      hint: `Add \`alerts:\` to environments/${options.env}.yaml, or name a target with --to.`,
    });
  await cli
    .output(options)
    .list({ rows, columns: [...COLUMNS.slice(3, 6), ...COLUMNS.slice(9)].map(unhide), name: (row) => row.id });
  const refused = rows.filter((row) => row.state !== 'sent');
  if (refused.length > 0)
    throw new SluiceError('unavailable', `${refused.length} of ${rows.length} test alerts did not arrive.`, {
      hint: refused.map((row) => `${row.target}: ${row.detail ?? row.state}`).join('; '),
    });
}

function unhide(column: Column<AlertDelivery>): Column<AlertDelivery> {
  return { ...column, wide: false };
}
