import { parseArgs, type ParseArgsConfig } from 'node:util';

/** What `parseArgs` makes of this process's arguments. It ends with exit code 2 and the usage when they are not understood. */
export function readArguments<Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null) throw error;
    process.stderr.write(`error: ${problem}\nusage: ${usage}\n`);
    return process.exit(2);
  }
}

/** In one line what `parseArgs` did not understand; null: it is another error. Node goes on to tell how to work around it. */
export function problemOf(error: unknown): string | null {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (!code.startsWith('ERR_PARSE_ARGS_')) return null;
  return message.split(/\. To specify|\. This command|\n/)[0]?.replace(/\.$/, '') ?? message;
}
