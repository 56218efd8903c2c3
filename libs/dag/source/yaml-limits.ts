import { Lexer } from 'yaml';

/** Limits of one file. The YAML library has none: a megabyte of `[` takes the whole process down. */
export const FILE_LIMITS = {
  /** Characters; a pipeline of a thousand tasks has about 150 KiB. */
  size: 1024 * 1024,
  /** Maps and lists within each other. */
  depth: 40,
  /**
   * Words, signs and line ends outside block texts; a task has about thirty. Reading this many takes a tenth of a second; the
   * library has no limit of its own.
   */
  tokens: 50_000,
  /** Values once aliases are followed. */
  values: 100_000,
  anchors: 1_000,
} as const;

export interface SourceFault {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** C0 controls but tab and line ends, the replacement character, BOM, and characters that reorder what a reader sees. */

const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ufeff\u202a-\u202e\u2066-\u2069]/;

/** First reason not to hand `text` to the YAML library at all. */
export function faultOfText(text: string): SourceFault | null {
  if (text.length > FILE_LIMITS.size) {
    const message = `The file has ${(text.length / 1048576).toFixed(1)} MiB; at most 1 MiB is read.`;
    return { offset: 0, message, hint: 'Keep scripts, queries and data in files of their own and name them here.' };
  }
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden === null) return null;
  const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const message = `The file holds the character U+${code}, which has no place in a text file.`;
  return { offset: forbidden.index, message, hint: 'Save the file as plain UTF-8 and remove the character.' };
}

/** The tokens of a text, or the first reason not to parse them: the parser recurses with depth and has no bounds. */
export function tokensWithin(text: string): readonly string[] | SourceFault {
  const limits = new TokenLimits();
  const tokens: string[] = [];
  for (const token of new Lexer().lex(text)) {
    const fault = limits.accept(token);
    if (fault !== null) return fault;
    tokens.push(token);
  }
  return tokens;
}

class TokenLimits {
  /** Columns at which the open block maps and lists began. */
  readonly #indents: number[] = [];
  #offset = 0;
  #tokens = 0;
  #anchors = 0;
  #flowDepth = 0;
  /** `- - -` and `? ? ?` open one level each without an indent of their own. */
  #lineMarks = 0;
  #atLineStart = true;
  #previous = '';

  /** Takes the next token; a fault means: stop. */
  accept(token: string): SourceFault | null {
    this.#tokens += 1;
    const first = token.charAt(0);
    this.#follow(token, first);
    const offset = this.#offset;
    if (!isMarker(first)) this.#offset += token.length;
    if (this.#tokens > FILE_LIMITS.tokens)
      return {
        offset,
        message: `The file has more than ${FILE_LIMITS.tokens} words and signs of YAML.`,
        hint: 'Split the pipeline, or use `matrix` for tasks that differ in a value.',
      };
    if (this.#anchors > FILE_LIMITS.anchors)
      return {
        offset,
        message: `The file has more than ${FILE_LIMITS.anchors} anchors, aliases and tags.`,
        hint: 'Write the values out, or use `defaults`.',
      };
    const isDirective = first === '%' && this.#previous !== SCALAR_FOLLOWS;
    this.#previous = token;
    if (isDirective)
      return { offset, message: 'YAML directives (%) are not supported.', hint: 'Remove the line, or quote the text.' };
    if (this.#flowDepth + this.#lineMarks + this.#indents.length <= FILE_LIMITS.depth) return null;
    return {
      offset,
      message: `Maps and lists are nested deeper than ${FILE_LIMITS.depth} levels.`,
      hint: 'A pipeline file needs about six levels.',
    };
  }

  #follow(token: string, first: string): void {
    // The text of a scalar may begin with any sign.
    if (this.#previous === SCALAR_FOLLOWS) return;
    if (first === '[' || first === '{') this.#flowDepth += 1;
    else if (first === ']' || first === '}') this.#flowDepth -= 1;
    else if (first === '&' || first === '*' || first === '!') this.#anchors += 1;
    else if (this.#flowDepth === 0 && (token === '-' || token === '?' || token === ':')) this.#lineMarks += 1;
    if (first === '\n') {
      this.#atLineStart = true;
      this.#lineMarks = 0;
    } else if (this.#atLineStart && this.#flowDepth === 0) {
      this.#atLineStart = false;
      const indent = first === ' ' ? token.length : 0;
      while (this.#indents.length > 0 && (this.#indents.at(-1) ?? 0) >= indent) this.#indents.pop();
      this.#indents.push(indent);
    }
  }
}

const SCALAR_FOLLOWS = '\u001f';

/** The lexer inserts these control characters; they are not part of the text. */
function isMarker(character: string): boolean {
  return character === '\u0002' || character === '\u0018' || character === SCALAR_FOLLOWS;
}
