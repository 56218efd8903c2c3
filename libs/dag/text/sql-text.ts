import { bindText, type BoundText, type ExpressionPart, type Replacement } from './bound-text.ts';

/** SQL text whose expressions are read with DuckDB's `getvariable`, so that no value is ever parsed as SQL. */
export function bindSql(text: string): BoundText {
  return bindText(text, replacements);
}

const REFERENCE: Replacement = { text: (variable) => `getvariable('${variable}')` };

const FAULTS: Readonly<Record<string, Replacement>> = {
  "'": {
    message: 'An expression stands inside a quoted SQL text, where it would not be replaced.',
    hint: "End the text before it and join: 'raw/' || ${{ ds }} || '.csv'.",
  },
  '"': {
    message: 'An expression stands inside a quoted identifier, and identifiers cannot come from values.',
    hint: 'Write the name out, or choose between columns with CASE.',
  },
  $: {
    message: 'An expression stands inside a dollar-quoted text, where it would not be replaced.',
    hint: 'End the text before it and join with ||.',
  },
  comment: { message: 'An expression stands inside a SQL comment.', hint: 'Remove it from the comment.' },
};

const OPENINGS = /'|"|--|\/\*|\$(?:[A-Za-z_]\w*)?\$/g;

function replacements(text: string, parts: readonly ExpressionPart[]): Replacement[] {
  // Blank out the expressions, so that quotes inside them are not taken for SQL.
  let plain = text;
  for (const { offset, end } of parts) plain = plain.slice(0, offset) + ' '.repeat(end - offset) + plain.slice(end);
  const spans: { from: number; to: number; kind: string }[] = [];
  OPENINGS.lastIndex = 0;
  for (let match = OPENINGS.exec(plain); match !== null; match = OPENINGS.exec(plain)) {
    const to = endOf(plain, match[0], match.index);
    const kind = match[0] === '--' || match[0] === '/*' ? 'comment' : match[0].charAt(0);
    spans.push({ from: match.index, to, kind });
    OPENINGS.lastIndex = to;
  }
  return parts.map((part) => {
    const around = spans.find((span) => part.offset > span.from && part.offset < span.to);
    return (around === undefined ? undefined : FAULTS[around.kind]) ?? REFERENCE;
  });
}

/** First character behind what `opening` opens; a doubled quote inside is seen as two texts, which is as good. */
function endOf(text: string, opening: string, from: number): number {
  const closing = opening === '--' ? '\n' : opening === '/*' ? '*/' : opening;
  const at = text.indexOf(closing, from + opening.length);
  return at < 0 ? text.length : at + closing.length;
}
