import type { Command, Option } from 'commander';
import { isHidden } from '../command-tree.ts';

/** One command of the tree as completion needs it. */
export interface CommandWords {
  /** Words after `sluice`; empty for the root. */
  readonly path: readonly string[];
  readonly description: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
}

export interface OptionWords {
  readonly long: string;
  readonly short: string | null;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The whole tree, root first. */
export function commandWords(program: Command, path: readonly string[] = []): CommandWords[] {
  const visible = program.commands.filter((command) => !isHidden(command));
  return [
    {
      path,
      description: program.description(),
      subcommands: visible.map((command) => ({ name: command.name(), description: command.description() })),
      options: program.options.filter((option) => !option.hidden).flatMap(optionWords),
    },
    ...visible.flatMap((command) => commandWords(command, [...path, command.name()])),
  ];
}

function optionWords(option: Option): OptionWords[] {
  if (option.long == null) return [];
  return [
    {
      long: option.long,
      short: option.short ?? null,
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    },
  ];
}
