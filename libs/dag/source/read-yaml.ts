import { Composer, LineCounter, Parser, type CST, type Document, type ParsedNode, type YAMLError } from 'yaml';
import type { ProblemList, Position } from './problem-list.ts';
import { faultOfText, tokensWithin } from './yaml-limits.ts';
import { plainValue, type YamlDialect } from './yaml-value.ts';
import { SourceMap } from './source-map.ts';
import { quote } from './quote.ts';

/** A YAML file as plain JSON, with the place of everything in it. */
export interface YamlSource {
  readonly value: unknown;
  readonly map: SourceMap;
}

/** Past this many the rest is noise, and collecting half a million takes seconds. */
const MOST_ERRORS = 20;

const CHECK = 'Check indentation, quotes and brackets here.';

/**
 * Reads one YAML document. Faults of the text are added to `problems`; null when there is no value to go on with.
 * Never throws, and never takes longer than the limits allow, whatever the text.
 */
export function readYaml(
  text: string,
  problems: ProblemList,
  dialect: YamlDialect = { mergeKeys: false },
): YamlSource | null {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const fault = faultOfText(source);
  if (fault !== null) {
    problems.add(positionIn(source, fault.offset), fault.message, fault.hint);
    return null;
  }
  const tokens = tokensWithin(source);
  if ('offset' in tokens) {
    problems.add(positionIn(source, tokens.offset), tokens.message, tokens.hint);
    return null;
  }
  const lines = new LineCounter();
  const composed = compose(tokens, source.length, lines);
  const [document, second] = composed.documents;
  const map = new SourceMap(source, lines, document?.contents ?? null);
  if (document === undefined || composed.errors.length > 0) {
    addSyntaxErrors(composed.errors, source, map, problems);
    return null;
  }
  if (second !== undefined)
    problems.add(
      map.positionOf(second.range[0]),
      'The file holds more than one YAML document.',
      'Put each pipeline into a file of its own and remove the "---" between them.',
    );
  if (document.contents === null) return { value: null, map };
  return { value: plainValue(document.contents, map, problems, dialect), map };
}

interface Composed {
  readonly documents: Document.Parsed<ParsedNode>[];
  readonly errors: readonly YAMLError[];
}

function compose(tokens: readonly string[], length: number, lines: LineCounter): Composed {
  const composer = new Composer({ uniqueKeys: false, logLevel: 'silent', prettyErrors: false, strict: true });
  const errors = stopAfterErrors(composer);
  const documents: Document.Parsed<ParsedNode>[] = [];
  try {
    for (const document of composer.compose(nodesOf(tokens, lines), true, length))
      if (documents.push(document as Document.Parsed<ParsedNode>) === 2) break;
  } catch (error) {
    // Ours, to stop at enough errors; anything else would be a defect of the library.
    if (errors.length === 0) throw error;
  }
  return { documents, errors };
}

/** What the library's `parse` does, from tokens that are already known to be within limits. */
function* nodesOf(tokens: readonly string[], lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const token of tokens) yield* parser.next(token);
  yield* parser.end();
}

/**
 * The composer reports through this member and knows no limit: half a million stray commas take it seconds. Throwing
 * is the only way to make it stop; the library may catch that itself, hence the list of our own.
 */
function stopAfterErrors(composer: Composer): readonly YAMLError[] {
  const found: YAMLError[] = [];
  const internals = composer as unknown as { onError: (...args: unknown[]) => void; errors: YAMLError[] };
  const report = internals.onError;
  internals.onError = (...args) => {
    if (found.length >= MOST_ERRORS) throw new Error('enough errors');
    report.apply(composer, args);
    const last = internals.errors.at(-1);
    if (last !== undefined && found.at(-1) !== last) found.push(last);
  };
  return found;
}

function addSyntaxErrors(errors: readonly YAMLError[], source: string, map: SourceMap, problems: ProblemList): void {
  const unquoted = unquotedExpression(source, errors);
  if (unquoted !== null) {
    const message = `An expression inside { } or [ ] must be quoted: ${quote(unquoted.text)} is read as YAML here.`;
    problems.add(map.positionOf(unquoted.offset), message, `Write "${unquoted.text}" with the quotes.`);
    return;
  }
  for (const error of errors) {
    const [hint, message] = inOurWords(error);
    problems.add(map.positionOf(error.pos[0]), message, hint);
  }
}

/** `${{ }}` in a flow collection is the usual reason for a bracket error; finds it on the lines up to the first error. */
function unquotedExpression(source: string, errors: readonly YAMLError[]): { text: string; offset: number } | null {
  const at = errors[0]?.pos[0] ?? 0;
  const lineStart = source.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = source.indexOf('\n', at);
  const line = source.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  const expression = /\$\{\{.*?\}\}/.exec(line);
  if (expression === null || !/[[{,]/.test(line.slice(0, expression.index))) return null;
  const quotes = line.slice(0, expression.index).replace(/\\./g, '').match(/["']/g)?.length ?? 0;
  if (quotes % 2 === 1) return null;
  const before = /[^\s,[\]{}:]*$/.exec(line.slice(0, expression.index))?.[0] ?? '';
  const after = /^[^\s,[\]{}:]*/.exec(line.slice(expression.index + expression[0].length))?.[0] ?? '';
  return { text: before + expression[0] + after, offset: lineStart + expression.index - before.length };
}

function inOurWords(error: YAMLError): [hint: string, message: string] {
  const text = error.message.split('\n')[0] ?? error.message;
  const message = /^Missing closing ["']quote/.test(text)
    ? 'A quote is opened before this place and never closed.'
    : `YAML: ${text.replace(/\.$/, '')}.`;
  if (text.includes('cannot start with reserved character')) return ['Put the text in quotes.', message];
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return ['Indent with spaces.', message];
    case 'BAD_INDENT':
      return ['Lines of one map or list start in the same column.', message];
    case 'MISSING_CHAR':
      return ['Close the bracket or quote that is open, or put the text in quotes.', message];
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return ['Put a text that holds ": " in quotes.', message];
    case 'BAD_ALIAS':
      return ['A text that starts with * or & must be quoted.', message];
    default:
      return [CHECK, message];
  }
}

function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
