import { CommanderError, type Command } from 'commander';
import { SluiceError } from '#core';
import { Cli } from './cli.ts';
import { EXIT_CODES, INTERRUPTED } from './exit-codes.ts';
import { describeFailure, printFailure } from './failure.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

/** Runs one command line and returns its exit code; everything it has to say has been written by then. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const cli = new Cli(io);
  const program = buildProgram(cli);
  try {
    await Promise.race([program.parseAsync([...argv], { from: 'user' }), interrupted(io)]);
    return cli.exitCode;
  } catch (error) {
    if (error instanceof Interrupted) return INTERRUPTED;
    if (error instanceof CommanderError) {
      // Help and version are not failures; commander has written them.
      if (error.exitCode === 0 || error.code === 'commander.help')
        return error.exitCode === 0 ? 0 : EXIT_CODES.bad_request;
      const message = error.message.replace(/^error: /, '');
      printFailure(io, new SluiceError('bad_request', message, { hint: usageHint(program, argv) }), wantsJson(argv));
      return EXIT_CODES.bad_request;
    }
    const failure = describeFailure(error);
    printFailure(io, failure, wantsJson(argv));
    return EXIT_CODES[failure.code];
  }
}

class Interrupted extends Error {}

function interrupted(io: Io): Promise<never> {
  return new Promise((_resolve, reject) => {
    io.interrupt.signal.addEventListener('abort', () => {
      if (!io.interrupt.isTaken) reject(new Interrupted());
    });
  });
}

/** Looks at the bare arguments, because a usage error comes before any option is known. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, i) =>
      word === '--json' ||
      /^(-o|--output=)(json|ndjson)$/.test(word) ||
      (/^(-o|--output)$/.test(word) && /^(json|ndjson)$/.test(argv[i + 1] ?? '')),
  );
}

/** Names the help of the deepest command that was recognised. */
function usageHint(program: Command, argv: readonly string[]): string {
  let command = program;
  const words = ['sluice'];
  for (const word of argv) {
    const next = command.commands.find((child) => child.name() === word || child.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    words.push(next.name());
  }
  return `See \`${words.join(' ')} --help\`.`;
}
