import type { Command, Option } from 'commander';
import { EXIT_CODES, EXIT_MEANINGS } from './exit-codes.ts';
import { descendantsOf, isHidden } from './command-tree.ts';

/** The manual page docs/cli.md, made from the command tree itself, so that it cannot differ from the program. */
export function cliReference(program: Command): string {
  const commands = descendantsOf(program).filter((command) => command.commands.length === 0 && !isHidden(command));
  const lines = [
    '# Command line',
    '',
    '<!-- Made by `node bin/sluice.mjs reference > docs/cli.md`; a test compares it with the program. -->',
    '',
    'Data goes to stdout, messages to stderr. Times are relative and tables are cut to the width of the window on a',
    'terminal only; a pipe gets ISO 8601, durations in seconds, bare words and whole lines. `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb` are honoured.',
    'With `--json` an error is one document on stderr, `{"error":{"code","message","hint","at"}}`.',
    'JSON documents only ever gain fields; a field that is renamed or removed means a new major version.',
    '',
    'The server is found through `.sluice/server.json` in this folder or one above it (`SLUICE_HOME` first, when set), then through `SLUICE_URL` and',
    '`SLUICE_TOKEN`. No server need `init`, `validate`, `test` (without `--record`), `render`, `schedule preview`, `schema`, `explain`, `import`,',
    '`plugins`, `release digest`, `run --local`, `doctor` and `completion`.',
    '',
    '## Commands',
    '',
    '| command | does |',
    '| --- | --- |',
    ...commands.map(
      (command) => `| [\`${fullName(command)}\`](#${anchor(command)}) | ${cell(command.description())} |`,
    ),
    '',
    ...commands.flatMap(commandSection),
    '## Exit codes',
    '',
    '| code | meaning | error codes |',
    '| --- | --- | --- |',
    ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `| ${code} | ${meaning} | ${errorCodes(Number(code))} |`),
    '',
  ];
  return lines.join('\n');
}

function commandSection(command: Command): string[] {
  const args = command.registeredArguments;
  const usage = [
    fullName(command),
    '[options]',
    ...args.map((each) => argumentText(each.name(), each.required, each.variadic)),
  ];
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  const described = args.filter((each) => each.description || each.argChoices);
  return [
    `### ${fullName(command)}`,
    '',
    `${capital(command.description())}.${aliases.length > 0 ? ` Also: ${aliases.join(', ')}.` : ''}`,
    '',
    '```',
    usage.join(' '),
    '```',
    '',
    ...described.map((each) => `- \`${each.name()}\`: ${each.description || each.argChoices?.join(', ')}`),
    ...(described.length > 0 ? [''] : []),
    '| option | meaning |',
    '| --- | --- |',
    ...command.options
      .filter((option) => !option.hidden)
      .map((option) => `| \`${cell(option.flags)}\` | ${optionText(option)} |`),
    '',
  ];
}

function optionText(option: Option): string {
  const choices = option.argChoices ? `; one of ${option.argChoices.join(', ')}` : '';
  const isDefaultShown =
    option.defaultValue !== undefined &&
    typeof option.defaultValue !== 'boolean' &&
    typeof option.defaultValue !== 'object';
  return cell(
    `${option.description}${choices}${isDefaultShown ? ` (default ${option.defaultValueDescription ?? String(option.defaultValue)})` : ''}${option.mandatory ? '; required' : ''}`,
  );
}

/** `sluice runs list`. */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function anchor(command: Command): string {
  return fullName(command).replaceAll(' ', '-');
}

function argumentText(name: string, isRequired: boolean, isVariadic: boolean): string {
  const text = isVariadic ? `${name}...` : name;
  return isRequired ? `<${text}>` : `[${text}]`;
}

function errorCodes(exit: number): string {
  const codes = Object.entries(EXIT_CODES).filter(([, code]) => code === exit);
  return codes.map(([code]) => `\`${code}\``).join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
