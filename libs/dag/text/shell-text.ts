import { bindText, type BoundText, type ExpressionPart, type Replacement } from './bound-text.ts';
import { placesInShell, type ShellPlace } from './shell-places.ts';

/**
 * Shell text whose expressions are references to environment variables, quoted as their place demands. A value is
 * never part of the text that bash parses, so it cannot be code; places where bash (or a program it starts) would
 * read the value as code are faults.
 */
export function bindShell(text: string): BoundText {
  return bindText(text, (written, parts) =>
    placesInShell(written, parts).map((place, index) => replacement(place, parts[index])),
  );
}

function replacement(place: ShellPlace, part: ExpressionPart | undefined): Replacement {
  if (place === 'bare') return { text: (variable) => `"\${${variable}}"` };
  if (place === 'double') return { text: (variable) => `\${${variable}}` };
  const expression = part === undefined ? '' : part.expression;
  return { message: `An expression ${WHERE[place]}.`, hint: HINTS[place](`env: { VALUE: "\${{ ${expression} }}" }`) };
}

type Fault = Exclude<ShellPlace, 'bare' | 'double'>;

const WHERE: Readonly<Record<Fault, string>> = {
  single: 'stands in single quotes, where bash replaces nothing',
  ansi: "stands in $'…', where bash replaces nothing",
  backtick: 'stands in backticks, where quoting is undone',
  comment: 'stands in a comment',
  heredoc: 'stands in a here-document, where it is not safe to replace it',
  brace: 'stands inside ${…}, where bash would read it as part of the expansion',
  arithmetic: 'stands in arithmetic, which bash evaluates as code',
  escaped: 'follows a backslash or a dollar sign, which would change what bash reads',
  code: 'stands in text that another interpreter reads as code',
  name: 'stands where bash expects the name of a variable, which it evaluates as code',
  unclosed: 'cannot be placed, because a quote in this script is never closed',
};

const viaEnv = (env: string): string => `Add \`${env}\` to the task and write "$VALUE" in double quotes.`;
const viaEnvInside = (env: string): string => `Add \`${env}\` to the task and use $VALUE there.`;

const HINTS: Readonly<Record<Fault, (env: string) => string>> = {
  single: (env) => `Use double quotes, or add \`${env}\` to the task and write "$VALUE".`,
  ansi: viaEnv,
  backtick: (env) => `Use "$( … )" instead of backticks, or add \`${env}\` to the task and use "$VALUE".`,
  comment: () => 'Remove it from the comment.',
  heredoc: (env) => `Add \`${env}\` to the task and use $VALUE in the here-document.`,
  brace: viaEnvInside,
  arithmetic: (env) => `Calculate inside the expression, or add \`${env}\` to the task and check the value first.`,
  escaped: viaEnv,
  code: (env) => `Add \`${env}\` to the task and read the variable VALUE in that program, or pass it as an argument.`,
  name: () => 'Write the name of the variable out.',
  unclosed: () => 'Close the quote.',
};
