/** A piece of a text with `${{ }}` in it. Offsets are into the whole text. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | {
      readonly kind: 'expression';
      /** Without `${{ }}` and outer blanks. */
      readonly expression: string;
      /** Of `${{`. */
      readonly offset: number;
      /** Behind `}}`. */
      readonly end: number;
      /** Of the first character of `expression`. */
      readonly expressionOffset: number;
    };

export type SplitTemplate =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** True if the text holds an expression (or the beginning of one). */
export function hasExpressions(text: string): boolean {
  return text.includes('${{');
}

/** Splits a text at its expressions; `}}` inside a string of the expression does not end it. */
export function splitTemplate(text: string): SplitTemplate {
  const parts: TemplatePart[] = [];
  let position = 0;
  for (;;) {
    const open = text.indexOf('${{', position);
    if (open < 0) break;
    const close = findClose(text, open + 3);
    if (close === null) return { ok: false, message: '"${{" is never closed by "}}"', offset: open };
    if (open > position) parts.push({ kind: 'text', text: text.slice(position, open), offset: position });
    const inner = text.slice(open + 3, close);
    parts.push({
      kind: 'expression',
      expression: inner.trim(),
      offset: open,
      end: close + 2,
      expressionOffset: open + 3 + (inner.length - inner.trimStart().length),
    });
    position = close + 2;
  }
  if (position < text.length) parts.push({ kind: 'text', text: text.slice(position), offset: position });
  return { ok: true, parts };
}

/** The expression itself if the text is one `${{ }}` and nothing else. */
export function soleExpression(text: string): string | null {
  const split = splitTemplate(text.trim());
  const [only, more] = split.ok ? split.parts : [];
  return only?.kind === 'expression' && more === undefined ? only.expression : null;
}

function findClose(text: string, from: number): number | null {
  let quote = '';
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === '\\') at += 1;
      else if (character === quote || character === '\n') quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') depth += 1;
    else if (character === '}' && depth > 0) depth -= 1;
    else if (character === '}' && text.charAt(at + 1) === '}') return at;
  }
  return null;
}
