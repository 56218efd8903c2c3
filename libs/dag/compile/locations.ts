import { splitTemplate } from '../expression/template.ts';

/**
 * What is wrong with the location of a path, such as `raw/ds=${{ ds }}`; null when it can only ever name a folder
 * below its root. Values of expressions are checked again when they are known.
 */
export function locationFault(at: string): { message: string; hint: string } | null {
  const plain = withoutExpressions(at);
  if (plain.startsWith('/') || /^[A-Za-z]:/.test(plain))
    return { message: 'it is absolute', hint: "Write it relative to the environment's storage root." };
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(plain))
    return { message: 'it is a URL', hint: "Write it relative to the environment's storage root." };
  const wrong = /[^A-Za-z0-9._=+@/*-]/.exec(plain);
  if (wrong !== null)
    return {
      message: `it holds ${JSON.stringify(wrong[0])}`,
      hint: 'Use letters, digits and . _ = + @ - between slashes.',
    };
  for (const segment of plain.split('/')) {
    if (segment === '') return { message: 'it has an empty folder name', hint: 'Remove the extra slash.' };
    if (/^\.+$/.test(segment))
      return {
        message: `it holds the folder "${segment}"`,
        hint: 'A path cannot leave its root; write the folder out.',
      };
    if (segment === '.sluice' || segment === '_sluice.json' || segment === '_quarantine')
      return { message: `"${segment}" is reserved`, hint: 'Choose another name.' };
    if (segment.length > 200) return { message: 'a folder name is longer than 200', hint: 'Shorten it.' };
  }
  return null;
}

/** True if one location may be, or be inside, the other, whatever the values of their expressions. */
export function mayOverlap(a: string, b: string): boolean {
  const [left, right] = [withoutExpressions(a).split('/'), withoutExpressions(b).split('/')];
  return left.every((segment, index) => {
    const other = right[index];
    return other === undefined || mayEqual(segment, other);
  });
}

/** Expressions as `*`; a `*` of the author's own is no valid location, so there is nothing to confuse. */
function withoutExpressions(at: string): string {
  const split = splitTemplate(at);
  return split.ok ? split.parts.map((part) => (part.kind === 'text' ? part.text : '*')).join('') : at;
}

function mayEqual(a: string, b: string): boolean {
  if (!a.includes('*') && !b.includes('*')) return a === b;
  const [prefixA, prefixB] = [a.split('*')[0] ?? '', b.split('*')[0] ?? ''];
  const [suffixA, suffixB] = [a.split('*').at(-1) ?? '', b.split('*').at(-1) ?? ''];
  if (!a.includes('*')) return fits(a, prefixB, suffixB);
  if (!b.includes('*')) return fits(b, prefixA, suffixA);
  const prefixesFit = prefixA.startsWith(prefixB) || prefixB.startsWith(prefixA);
  return prefixesFit && (suffixA.endsWith(suffixB) || suffixB.endsWith(suffixA));
}

function fits(text: string, prefix: string, suffix: string): boolean {
  return text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
}
