import { expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cli } from './cli.ts';
import { descendantsOf } from './command-tree.ts';
import { Interrupt, processIo } from './io.ts';
import { packageRoot } from './package-root.ts';
import { buildProgram } from './program.ts';
import { cliReference } from './reference.ts';

const program = buildProgram(new Cli(processIo(new Interrupt())));

test('docs/cli.md says what the program does; UPDATE_DOCS=1 writes it', async () => {
  const file = join(packageRoot(), 'docs', 'cli.md');
  const text = cliReference(program);
  if (process.env.UPDATE_DOCS) await writeFile(file, text);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('every command and option says what it is for', () => {
  for (const command of descendantsOf(program)) {
    expect([command.name(), command.description()]).toEqual([command.name(), expect.stringMatching(/\S/)]);
    for (const option of command.options)
      expect([command.name(), option.flags, option.description]).toEqual([
        command.name(),
        option.flags,
        expect.stringMatching(/\S/),
      ]);
  }
});

test('no option means two things in one command', () => {
  for (const command of descendantsOf(program)) {
    const names = command.options.flatMap(({ short, long }) => [short, long].filter(Boolean));
    expect([command.name(), names.length]).toEqual([command.name(), new Set(names).size]);
  }
});
