import { Document, isCollection, isMap, isScalar, visit, type Scalar } from 'yaml';
import type { ImportNote } from './report.ts';

/** What stands on one line. */
const ON_ONE_LINE = new Set(['needs', 'tags', 'retries', 'to', 'on', 'pools']);

/** The text of a pipeline file: comments of the tasks before them, and what was lost at the top. */
export function pipelineText(
  file: Readonly<Record<string, unknown>>,
  comments: ReadonlyMap<string, string>,
  from: string,
  notes: readonly ImportNote[],
): string {
  const document = new Document(file, { aliasDuplicateObjects: false });
  document.commentBefore = commentOf([`From ${from}.`, ...lostLines(notes)].join('\n'));
  for (const section of ['tasks', 'finally']) {
    const map: unknown = document.get(section);
    if (!isMap(map)) continue;
    for (const [index, pair] of map.items.entries()) {
      const key = pair.key as Scalar<string>;
      if (index > 0) key.spaceBefore = true;
      const comment = comments.get(key.value);
      if (comment !== undefined) key.commentBefore = commentOf(comment);
    }
  }
  visit(document, {
    Pair(_index, { key, value }) {
      if (isScalar(key) && ON_ONE_LINE.has(String(key.value)) && isCollection(value)) value.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function lostLines(notes: readonly ImportNote[]): string[] {
  const lost = notes.filter(({ kind }) => kind === 'lost');
  return lost.length === 0 ? [] : ['', 'Not carried over:', ...lost.map(({ message, hint }) => `- ${message} ${hint}`)];
}

/** Whatever stands in it stays a comment. */
function commentOf(text: string): string {
  return text
    .replace(/[\0-\x08\x0b-\x1f\x7f\ufffd\ufeff\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
    .split('\n')
    .map((line) => ` ${line.trimEnd()}`.trimEnd())
    .join('\n');
}
