import { Option, type Command } from 'commander';
import type { PromotionDetail } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { gateColumns, promotionColumns, promotionFields } from '../promotion/promotion-table.ts';
import { collectPages } from '../server/collect-pages.ts';
import { awaitPromotion, withAwaitingPromotion, type AwaitPromotionOptions } from '../watch/await-promotion.ts';

interface DecideOptions extends OutputOptions {
  readonly comment?: string;
  readonly approver?: string;
}

export function addPromotionsCommands(program: Command, cli: Cli): void {
  const promotions = program
    .command('promotions')
    .description('what was promoted, is being promoted, and why it waits');
  withOutput(promotions.command('list').alias('ls'))
    .description('promotions, newest first')
    .option('-e, --env <name>', 'only to this environment')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .action((options: OutputOptions & { env?: string; limit: number }) => list(cli, options));
  withOutput(promotions.command('show').description('one promotion and its gates').argument('<promotion>')).action(
    (id: string, options: OutputOptions) => show(cli, id, options),
  );
  withAwaitingPromotion(
    withOutput(promotions.command('watch').description('follow a promotion to its end').argument('<promotion>')),
  ).action(async (id: string, options: AwaitPromotionOptions) => {
    const client = await cli.connect();
    await awaitPromotion(cli, client, await client.promotion(id), { ...options, wait: true });
  });
  withOutput(
    promotions.command('cancel').description('end a promotion that has not switched').argument('<promotion>'),
  ).action(async (id: string, options: OutputOptions) =>
    print(cli, await (await cli.connect()).cancelPromotion(id), options),
  );
  withOutput(promotions.command('override'))
    .description('pass over a gate that waits for an answer; needs the right to override')
    .argument('<promotion>')
    .argument('<gate>', 'its name, as `promotions show` tells it')
    .requiredOption('-m, --reason <text>', 'why; shown for ever')
    .action(async (id: string, gate: string, options: OutputOptions & { reason: string }) =>
      print(cli, await (await cli.connect()).overrideGate(id, gate, options.reason), options),
    );
  for (const decision of ['approve', 'reject'] as const)
    withOutput(program.command(decision))
      .description(`${decision} a promotion`)
      .argument('<promotion>')
      .option('-m, --comment <text>', 'why; shown with it')
      .addOption(new Option('--approver <name>', 'somebody whom the token vouches for'))
      .action(async (id: string, options: DecideOptions) => {
        const client = await cli.connect();
        const { comment = null, approver } = options;
        await print(cli, await client.decide(id, { decision, comment, approver }), options);
      });
}

async function list(
  cli: Cli,
  { env, limit, ...options }: OutputOptions & { env?: string; limit: number },
): Promise<void> {
  const client = await cli.connect();
  const rows = await collectPages(limit, (page) => client.promotions({ env, ...page }));
  if (rows.length === 0) cli.say('Nothing was promoted yet.');
  await cli.output(options).list({ rows, columns: promotionColumns, name: ({ id }) => id });
}

async function show(cli: Cli, id: string, options: OutputOptions): Promise<void> {
  const detail = await (await cli.connect()).promotion(id);
  await print(cli, detail, options);
  const output = cli.output(options);
  if (!output.isForPeople) return;
  output.lines(['']);
  await output.list({ rows: detail.gates, columns: gateColumns, name: ({ name }) => name });
  if (detail.state === 'approval') cli.next('approve it', `sluice approve ${id}`);
}

async function print(cli: Cli, detail: PromotionDetail, options: OutputOptions): Promise<void> {
  await cli.output(options).one(detail, detail.id, promotionFields(detail));
}
