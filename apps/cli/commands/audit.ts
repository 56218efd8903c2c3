import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { AuditRecordShape } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { collectPages } from '../server/collect-pages.ts';

interface AuditOptions extends OutputOptions {
  readonly env?: string;
  readonly limit: number;
  readonly verify?: boolean;
}

export function addAuditCommand(program: Command, cli: Cli): void {
  withOutput(program.command('audit'))
    .description('who did what, newest first')
    .option('-e, --env <name>', 'only in this environment')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .addOption(new Option('--verify', 'check that the whole trail is as it was written').conflicts('env'))
    .action((options: AuditOptions) => (options.verify ? verifyAudit(cli, options) : listAudit(cli, options)));
}

const COLUMNS: readonly Column<AuditRecordShape>[] = [
  { header: 'SEQ', cell: (row) => row.seq, align: 'right' },
  { header: 'AT', cell: (row) => ({ kind: 'instant', at: row.at }) },
  { header: 'ACTOR', cell: (row) => row.actor },
  { header: 'ACTION', cell: (row) => row.action },
  { header: 'ENVIRONMENT', cell: (row) => row.environment },
  { header: 'SUBJECT', cell: (row) => row.subject, shrinks: true },
  { header: 'DETAIL', cell: detailText, shrinks: true },
  { header: 'HASH', cell: (row) => row.hash, wide: true },
];

/** `from=r1 to=r2`; what is empty is left out. */
function detailText({ detail }: AuditRecordShape): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

async function listAudit(cli: Cli, { env, limit, ...options }: AuditOptions): Promise<void> {
  const client = await cli.connect();
  const rows = await collectPages(limit, (page) => client.audit({ env, ...page }));
  if (rows.length === 0)
    cli.say(env === undefined ? 'The audit trail is empty.' : `The audit trail has nothing of ${env}.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => String(row.seq) });
}

async function verifyAudit(cli: Cli, options: AuditOptions): Promise<void> {
  const verdict = await (await cli.connect()).verifyAudit();
  const rest: [string, string | number][] = verdict.whole
    ? [
        ['records', verdict.records],
        ['hash', verdict.hash],
      ]
    : [
        ['broken at', verdict.seq],
        ['reason', verdict.reason],
      ];
  const whole = verdict.whole ? 'yes' : 'no';
  await cli.output(options).one(verdict, whole, [['whole', whole], ...rest]);
  if (!verdict.whole)
    throw new SluiceError('run_failed', `The audit trail is broken at record ${verdict.seq}: ${verdict.reason}`, {
      hint: 'Records before it are as they were written. Compare with a backup of the database.',
    });
}
