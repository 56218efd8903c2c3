import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { rightsText } from './token.ts';

export function addWhoamiCommand(program: Command, cli: Cli): void {
  withOutput(program.command('whoami'))
    .description('name, groups and rights of the token that is used here')
    .action((options: OutputOptions) => showCaller(cli, options));
}

async function showCaller(cli: Cli, options: OutputOptions): Promise<void> {
  const { url, source } = await cli.server();
  const caller = await (await cli.connect()).whoami();
  await cli.output(options).one(caller, caller.name, [
    ['name', caller.name],
    ['groups', caller.groups.join(' ') || null],
    ['rights', rightsText(caller)],
    ['server', `${url} (from ${source})`],
  ]);
}
