import { splitTemplate, type TemplatePart } from '../expression/template.ts';

/** A text whose expressions became references to variables; what each variable holds is CEL. */
export interface BoundText {
  readonly text: string;
  readonly expressions: Readonly<Record<string, string>>;
  readonly faults: readonly TextFault[];
}

export interface TextFault {
  /** Into the text as written. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

export type ExpressionPart = Extract<TemplatePart, { kind: 'expression' }>;

/** What to write instead of an expression, or why there can be none. */
export type Replacement = { readonly text: (variable: string) => string } | Omit<TextFault, 'offset'>;

/**
 * Replaces each expression by what `replacementOf` says about its place. Equal expressions share a variable; names are
 * `__E1`, `__E2`, … in the order of the text.
 */
export function bindText(
  written: string,
  replacementsOf: (text: string, parts: readonly ExpressionPart[]) => readonly Replacement[],
): BoundText {
  const split = splitTemplate(written);
  if (!split.ok) {
    const hint = 'Write "${{ expression }}".';
    return { text: written, expressions: {}, faults: [{ offset: split.offset, message: `${split.message}.`, hint }] };
  }
  const expressionParts = split.parts.filter((part) => part.kind === 'expression');
  if (expressionParts.length === 0) return { text: written, expressions: {}, faults: [] };
  const replacements = replacementsOf(written, expressionParts);
  const variables = new Map<string, string>();
  const faults: TextFault[] = [];
  let text = '';
  let index = 0;
  for (const part of split.parts) {
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    const replacement = replacements[index];
    index += 1;
    if (replacement === undefined || 'message' in replacement) {
      if (replacement !== undefined) faults.push({ offset: part.offset, ...replacement });
      continue;
    }
    const variable = variables.get(part.expression) ?? `__E${variables.size + 1}`;
    variables.set(part.expression, variable);
    text += replacement.text(variable);
  }
  const expressions = Object.fromEntries([...variables].map(([expression, variable]) => [variable, expression]));
  return { text, expressions, faults };
}
