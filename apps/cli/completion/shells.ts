import type { CommandWords, OptionWords } from './command-words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A completion script for the shell; where no word fits, file names are offered. */
export function completionScript(shell: Shell, tree: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(tree);
    case 'zsh':
      return zshScript(tree);
    case 'fish':
      return fishScript(tree);
  }
}

/** A table from "path of the command" to its words, and one from "path option" to the option's values. */
function bashScript(tree: readonly CommandWords[]): string {
  const words = tree.map(
    ({ path, subcommands, options }) =>
      `    ${quote(path.join(' '))}) words=${quote([...subcommands.map(({ name }) => name), ...options.flatMap(optionNames), '--help'].join(' '))} ;;`,
  );
  const groups = tree.filter(({ subcommands }) => subcommands.length > 0);
  const steps = groups.flatMap(({ path, subcommands }) =>
    subcommands.map(
      ({ name }) => `      ${quote([...path, name].join(' '))}) at=${quote([...path, name].join(' '))} ;;`,
    ),
  );
  return `# bash completion of sluice: source <(sluice completion bash)
_sluice() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" at="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in
${steps.join('\n')}
    esac
  done
  case "$at $previous" in
${choiceCases(tree)}
  esac
  case "$at" in
${words.join('\n')}
  esac
  if [[ $current == -* || -n $words && $words != -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _sluice sluice
`;
}

function choiceCases(tree: readonly CommandWords[]): string {
  return tree
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map((option) => {
          const patterns = optionNames(option).map((name) => quote(`${path.join(' ')} ${name}`));
          const reply =
            option.choices.length > 0
              ? `COMPREPLY=($(compgen -W ${quote(option.choices.join(' '))} -- "$current"))`
              : 'COMPREPLY=()';
          return `    ${patterns.join('|')}) ${reply}; return ;;`;
        }),
    )
    .join('\n');
}

function zshScript(tree: readonly CommandWords[]): string {
  const functions = tree.map((command) => {
    const options = command.options.map((option) => `    ${quote(zshOption(option))}`);
    const lines = [...options, `    '--help[show help]'`];
    if (command.subcommands.length === 0)
      return `${zshName(command.path)}() {\n  _arguments -s \\\n${[...lines, `    '*:file:_files'`].join(' \\\n')}\n}`;
    const children = command.subcommands.map(
      ({ name, description }) => `    ${quote(`${name}:${description.replaceAll(':', '\\:')}`)}`,
    );
    const cases = command.subcommands.map(({ name }) => `        ${name}) ${zshName([...command.path, name])} ;;`);
    return `${zshName(command.path)}() {
  local state line
  local -a children
  children=(
${children.join('\n')}
  )
  _arguments -C \\
${[...lines, `    '1: :->command'`, `    '*::argument:->argument'`].join(' \\\n')}
  case $state in
    command) _describe command children ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
}`;
  });
  return `#compdef sluice\n# zsh completion of sluice: source <(sluice completion zsh)\n${functions.join('\n')}\ncompdef _sluice sluice\n`;
}

function zshName(path: readonly string[]): string {
  return ['_sluice', ...path].join('_');
}

function zshOption({ long, description, takesValue, choices }: OptionWords): string {
  const text = description.replace(/[[\]]/g, '').replaceAll(':', '\\:');
  if (!takesValue) return `${long}[${text}]`;
  return `${long}[${text}]:value:${choices.length > 0 ? `(${choices.join(' ')})` : ''}`;
}

function fishScript(tree: readonly CommandWords[]): string {
  const lines = tree.flatMap(({ path, subcommands, options }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const names = subcommands.map(({ name }) => name).join(' ');
    const none = names === '' ? [] : [`not __fish_seen_subcommand_from ${names}`];
    const condition = [...seen, ...none].join('; and ') || 'true';
    return [
      ...subcommands.map(
        ({ name, description }) => `complete -c sluice -f -n ${quote(condition)} -a ${name} -d ${quote(description)}`,
      ),
      ...options.map((option) => `complete -c sluice -n ${quote(seen.join('; and ') || 'true')} ${fishOption(option)}`),
    ];
  });
  return `# fish completion of sluice: sluice completion fish | source\n${lines.join('\n')}\n`;
}

function fishOption({ long, short, description, takesValue, choices }: OptionWords): string {
  return [
    `-l ${long.slice(2)}`,
    ...(short === null ? [] : [`-s ${short.slice(1)}`]),
    ...(takesValue ? ['-x'] : []),
    ...(choices.length > 0 ? [`-a ${quote(choices.join(' '))}`] : []),
    `-d ${quote(description)}`,
  ].join(' ');
}

function optionNames({ long, short }: OptionWords): string[] {
  return short === null ? [long] : [short, long];
}

/** In single quotes; the same for all three shells except for a quote inside, which only descriptions could hold. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
