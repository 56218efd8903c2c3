import { setTimeout } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { AlertDelivery } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { countArgument, durationArgument, withEnvironment } from '../options.ts';
import { collectPages } from '../server/collect-pages.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';

interface AlertOptions extends OutputOptions {
  readonly env: string;
}

interface TestOptions extends AlertOptions {
  readonly to?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export function addAlertsCommands(program: Command, cli: Cli): void {
  const alerts = program.command('alerts').description('who was told what');
  withOutput(withEnvironment(alerts.command('list').alias('ls')))
    .description('deliveries of alerts, newest first')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .action((options: AlertOptions & { limit: number }) => listAlerts(cli, options));
  withOutput(withEnvironment(alerts.command('test')))
    .description('send a test alert over every route of an environment and say how it went')
    .option('--to <target>', 'only to this target, such as slack:#ml-alerts or email:a@b.example')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the answer')
        .argParser(durationArgument)
        .default(20_000, '20s'),
    )
    .action((options: TestOptions) => testAlerts(cli, options));
}

const COLUMNS: readonly Column<AlertDelivery>[] = [
  { header: 'ID', cell: (row) => row.id, wide: true },
  { header: 'AT', cell: (row) => ({ kind: 'instant', at: row.at }) },
  { header: 'EVENT', cell: (row) => row.event },
  { header: 'TARGET', cell: (row) => row.target, shrinks: true },
  { header: 'STATE', cell: (row) => row.state },
  { header: 'TRIES', cell: (row) => row.tries, align: 'right' },
  { header: 'PIPELINE', cell: (row) => row.pipeline },
  { header: 'RUN', cell: (row) => (row.promotionId === null ? row.runId : `promotion ${row.promotionId}`) },
  { header: 'TITLE', cell: (row) => row.title, shrinks: true },
  { header: 'DETAIL', cell: (row) => row.detail, shrinks: true, wide: true },
];

const TEST_COLUMNS: readonly Column<AlertDelivery>[] = ['TARGET', 'STATE', 'TRIES', 'DETAIL'].flatMap((header) =>
  COLUMNS.filter((column) => column.header === header).map((column) => ({ ...column, wide: false })),
);

async function listAlerts(cli: Cli, { env, ...options }: AlertOptions & { limit: number }): Promise<void> {
  const client = await cli.connect();
  const rows = await collectPages(options.limit, (page) => client.alerts({ env, ...page }));
  if (rows.length === 0) cli.say(`No alerts in ${env} yet.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.id });
}

async function testAlerts(cli: Cli, options: TestOptions): Promise<void> {
  const client = await cli.connect();
  const created = await client.testAlerts(options.env, options.to);
  const rows = await settle(client, options, created);
  await cli.output(options).list({ rows, columns: TEST_COLUMNS, name: (row) => row.id });
  const rejected = rows.filter((row) => row.state === 'rejected');
  if (rejected.length > 0)
    throw new SluiceError('unavailable', `${rejected.length} of ${rows.length} test alerts did not arrive.`, {
      hint: rejected.map((row) => `${row.target}: ${row.detail ?? row.state}`).join('; '),
    });
  const pending = rows.filter((row) => row.state === 'pending');
  if (pending.length > 0)
    throw new SluiceError('timeout', `${pending.length} of ${rows.length} test alerts are not sent yet.`, {
      hint: `Sluice keeps trying; \`sluice alerts list --env ${options.env}\` shows how it goes.`,
    });
}

const ASK_AGAIN_MS = 300;

/** The server has written the test alerts down; its sender takes them from there. Asks until each was tried, or the time is up. */
async function settle(
  client: SluiceClient,
  { env, timeout }: TestOptions,
  created: readonly AlertDelivery[],
): Promise<readonly AlertDelivery[]> {
  const until = Date.now() + timeout;
  let rows = created;
  while (rows.some((row) => row.state === 'pending') && Date.now() < until) {
    await setTimeout(ASK_AGAIN_MS);
    const { items } = await client.alerts({ env, limit: 200 });
    const newest = new Map(items.map((row) => [row.id, row]));
    rows = rows.map((row) => newest.get(row.id) ?? row);
  }
  return rows;
}
