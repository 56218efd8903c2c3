import type { ProblemList } from '../source/problem-list.ts';
import type { Path, Places } from '../source/source-map.ts';
import { LayeredMap } from '../reuse/layered-map.ts';
import { checkExpression, type Names } from '../expression/check-expression.ts';
import type { ResultKind } from '../expression/expression-types.ts';
import { soleExpression, splitTemplate } from '../expression/template.ts';
import type { TextFault } from '../text/bound-text.ts';

/** The file being compiled: where things stand, and where its problems go. */
export class Compiling {
  readonly file: string;
  readonly map: Places;
  readonly problems: ProblemList;

  constructor(file: string, map: Places, problems: ProblemList) {
    this.file = file;
    this.map = map;
    this.problems = problems;
  }

  /** `file:line` of everything that wrote at `path`, nearest first; empty when that is the file itself alone. */
  origins(path: Path): readonly string[] {
    return this.map instanceof LayeredMap ? this.map.origins(path) : [];
  }

  /** A problem with the value at `path`. */
  at(path: Path, message: string, hint: string): void {
    this.problems.add(this.map.value(path), message, hint);
  }

  /** A problem with the key at the end of `path`. */
  atKey(path: Path, message: string, hint: string): void {
    this.problems.add(this.map.key(path), message, hint);
  }

  /** A problem at a character of the text at `path`. */
  within(path: Path, fault: TextFault): void {
    this.problems.add(this.map.within(path, fault.offset), fault.message, fault.hint);
  }

  /** Checks every `${{ }}` of the text at `path`. */
  checkTemplate(text: string, path: Path, names: Names): void {
    if (!text.includes('${{')) return;
    const split = splitTemplate(text);
    if (!split.ok) {
      this.within(path, { offset: split.offset, message: `${split.message}.`, hint: 'Write "${{ expression }}".' });
      return;
    }
    for (const part of split.parts) {
      if (part.kind === 'text') continue;
      for (const fault of checkExpression(part.expression, names, 'text'))
        this.within(path, { ...fault, offset: part.expressionOffset + fault.offset });
    }
  }

  /** The same for every text of the JSON value at `path`. */
  checkTree(value: unknown, path: Path, names: Names): void {
    if (typeof value === 'string') this.checkTemplate(value, path, names);
    else if (Array.isArray(value)) value.forEach((item, index) => this.checkTree(item, [...path, index], names));
    else if (typeof value === 'object' && value !== null)
      for (const [key, member] of Object.entries(value)) this.checkTree(member, [...path, key], names);
  }

  /** The CEL of a place that holds one expression, written bare or as `${{ }}`; checks it. */
  expression(written: string, path: Path, names: Names, result: ResultKind): string {
    const expression = soleExpression(written) ?? written.trim();
    if (expression.includes('${{')) {
      const message = `The expression ${JSON.stringify(written)} holds more than one \${{ }}.`;
      this.at(path, message, 'Write the whole condition without ${{ }}.');
      return expression;
    }
    const start = written.indexOf(expression);
    for (const fault of checkExpression(expression, names, result))
      this.within(path, { ...fault, offset: start + fault.offset });
    return expression;
  }
}
