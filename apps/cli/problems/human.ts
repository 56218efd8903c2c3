import type { CheckedFile } from '../project/check-project.ts';
import { cleanLine } from '../output/clean-text.ts';
import type { Style } from '../output/style.ts';

/** `file:line:column: error: message`, the hint below it and, for a terminal, the line itself with a caret. */
export function humanProblems(
  files: readonly CheckedFile[],
  style: Style,
  options: { readonly excerpt: boolean },
): string[] {
  return files.flatMap(({ text, problems }) => {
    const lines = options.excerpt && problems.length > 0 ? text.split(/\r\n|\n|\r/) : [];
    return problems.flatMap((problem) => [
      `${style.bold(cleanLine(`${problem.file}:${problem.line}:${problem.column}:`))} ${style.red('error:')} ${cleanLine(problem.message)}`,
      ...excerpt(lines[problem.line - 1], problem.line, problem.column, style),
      ...(problem.hint === undefined ? [] : [`  ${style.dim('hint:')} ${cleanLine(problem.hint)}`]),
    ]);
  });
}

const LONGEST = 120;

function excerpt(line: string | undefined, number: number, column: number, style: Style): string[] {
  if (line === undefined) return [];
  // A long line is shown around the place that matters.
  const start = column > LONGEST - 20 ? column - 41 : 0;
  const gutter = ` ${number} | `;
  const shown = cleanLine(line.slice(start, start + LONGEST));
  const before = cleanLine(line.slice(start, column - 1));
  return [
    `${style.dim(gutter)}${shown}`,
    `${style.dim(`${' '.repeat(gutter.length - 2)}| `)}${' '.repeat(before.length)}${style.red('^')}`,
  ];
}
