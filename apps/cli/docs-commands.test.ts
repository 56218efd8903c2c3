import { describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { examplesOf, readPage } from '../../libs/testing/examples.ts';
import { Cli } from './cli.ts';
import { descendantsOf } from './command-tree.ts';
import { wordsOf } from './fixture/run-example.ts';
import { Interrupt, processIo } from './io.ts';
import { packageRoot } from './package-root.ts';
import { buildProgram } from './program.ts';

const PAGES = ['README.md', ...readdirSync(join(packageRoot(), 'docs')).map((name) => `docs/${name}`)].filter(
  // Written from the program itself.
  (page) => page.endsWith('.md') && page !== 'docs/cli.md',
);
/** What a mention in a sentence may leave out. */
const LEFT_OUT = [
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
  'commander.invalidArgument',
];
const NONE = ['commander.helpDisplayed', 'commander.help', 'commander.version'];

const program = buildProgram(new Cli(processIo(new Interrupt())));
for (const command of [program, ...descendantsOf(program)]) {
  command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  if (command.commands.length === 0) command.action(() => undefined);
}

/** The code of what commander has against the words; null: it would begin. */
async function refusal(words: readonly string[]): Promise<string | null> {
  try {
    await (program as Command).parseAsync([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return NONE.includes(error.code) ? null : `${error.code}: ${error.message}`;
  }
}

function commandsIn(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap(
      (line) => /\$\((?:npx )?(sluice [^)]*)\)|(?:^|^\$ |&& |npx )(sluice .*)/.exec(line)?.slice(1).find(Boolean) ?? [],
    );
}

function mentions(text: string): string[] {
  return [
    ...text
      .replaceAll(/^```.*?^```/gms, '')
      .replaceAll(/[\[\]…]|\n/g, ' ')
      .matchAll(/`(?:npx )?(sluice [^`]+)`/g),
  ].map(([, line = '']) => line);
}

describe.each(PAGES)('%s', (page) => {
  test('its examples are commands that the program takes', async () => {
    const refused: string[] = [];
    for (const line of ['sh', 'console'].flatMap((language) => examplesOf(page, language)).flatMap(commandsIn)) {
      const why = await refusal(wordsOf(line));
      if (why !== null) refused.push(`${line}: ${why}`);
    }
    expect(refused).toEqual([]);
  });

  test('its sentences name commands and options that there are', async () => {
    const refused: string[] = [];
    for (const line of mentions(readPage(page))) {
      const why = await refusal(wordsOf(line));
      if (why !== null && !LEFT_OUT.some((code) => why.startsWith(code))) refused.push(`${line}: ${why}`);
    }
    expect(refused).toEqual([]);
  });
});
