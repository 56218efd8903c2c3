/** The little markdown that task summaries use. Anything else stays text. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: Inline[] }
  | { readonly kind: 'paragraph'; readonly text: Inline[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: Inline[][] }
  | { readonly kind: 'table'; readonly head: Inline[][]; readonly rows: Inline[][][] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'rule' };

export type Inline =
  | { readonly kind: 'text' | 'bold' | 'italic' | 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** Never throws and never yields markup: the caller turns blocks into elements, so that HTML in the text stays text. */
export function parseMarkdown(source: string): Block[] {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (fits: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && fits(lines[at] ?? '')) at++;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (line.trim() === '') at++;
    else if (/^\s*```/.test(line)) {
      at++;
      blocks.push({ kind: 'code', text: takeWhile((each) => !/^\s*```/.test(each)).join('\n') });
      at++;
    } else if (heading !== null) {
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: inlines(heading[2] ?? '') });
      at++;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      blocks.push({ kind: 'rule' });
      at++;
    } else if (
      line.includes('|') &&
      /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(lines[at + 1] ?? '') &&
      (lines[at + 1] ?? '').includes('|')
    ) {
      at += 2;
      blocks.push({ kind: 'table', head: cells(line), rows: takeWhile((each) => each.includes('|')).map(cells) });
    } else if (ITEM.test(line)) {
      const ordered = /^\s*\d/.test(line);
      blocks.push({
        kind: 'list',
        ordered,
        items: takeWhile((each) => ITEM.test(each)).map((each) => inlines(each.replace(ITEM, ''))),
      });
    } else {
      const text = takeWhile((each) => each.trim() !== '' && !/^(#{1,6}\s|\s*```)/.test(each) && !ITEM.test(each));
      blocks.push({ kind: 'paragraph', text: inlines(text.join(' ')) });
    }
  }
  return blocks;
}

const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s+/;

function cells(line: string): Inline[][] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => inlines(cell.trim()));
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/g;

function inlines(text: string): Inline[] {
  const result: Inline[] = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) result.push({ kind: 'text', text: text.slice(from, found.index) });
    const [whole, code, bold, italic, label, href] = found;
    if (code !== undefined) result.push({ kind: 'code', text: code });
    else if (bold !== undefined) result.push({ kind: 'bold', text: bold });
    else if (italic !== undefined) result.push({ kind: 'italic', text: italic });
    else if (label !== undefined && href !== undefined && /^https?:\/\//i.test(href))
      result.push({ kind: 'link', text: label, href });
    else result.push({ kind: 'text', text: whole });
    from = found.index + whole.length;
  }
  if (from < text.length) result.push({ kind: 'text', text: text.slice(from) });
  return result;
}
