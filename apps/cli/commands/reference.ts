import type { Command } from 'commander';
import type { Cli } from '../cli.ts';

/** Hidden: prints docs/cli.md. */
export function addReferenceCommand(program: Command, cli: Cli): void {
  program
    .command('reference', { hidden: true })
    .description('this manual as markdown')
    .action(async () => {
      const { cliReference } = await import('../reference.ts');
      cli.io.out.write(cliReference(program));
    });
}
