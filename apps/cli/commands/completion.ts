import { Argument, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import { SHELLS, type Shell } from '../completion/shells.ts';

export function addCompletionCommand(program: Command, cli: Cli): void {
  program
    .command('completion')
    .description('a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => {
      const [{ commandWords }, { completionScript }] = await Promise.all([
        import('../completion/command-words.ts'),
        import('../completion/shells.ts'),
      ]);
      cli.io.out.write(completionScript(shell, commandWords(program)));
    });
}
