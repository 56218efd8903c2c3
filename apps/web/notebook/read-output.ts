import type { NotebookOutput } from '#contracts';

/** What an output of a cell is shown as. HTML and scripts of a notebook are never: its plain text stands for them. */
export type ShownOutput =
  | { readonly kind: 'text'; readonly text: string; readonly isError: boolean }
  | { readonly kind: 'markdown'; readonly text: string }
  | { readonly kind: 'image'; readonly address: string; readonly text: string };

/** Formats that a browser only ever paints. */
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const COLOURS = /\x1b\[[0-9;:]*[A-Za-z]/g;

/** Null: there is nothing of it that can be shown. */
export function readOutput(output: NotebookOutput): ShownOutput | null {
  if (output.output_type === 'error')
    return { kind: 'text', text: (output.traceback ?? []).join('\n').replace(COLOURS, ''), isError: true };
  if (output.output_type === 'stream')
    return { kind: 'text', text: wholeText(output.text).replace(COLOURS, ''), isError: output.name === 'stderr' };
  const data = output.data ?? {};
  const text = wholeText(data['text/plain']);
  for (const type of IMAGES) {
    const content = wholeText(data[type]).replace(/\s+/g, '');
    if (/^[A-Za-z0-9+/]+=*$/.test(content)) return { kind: 'image', address: `data:${type};base64,${content}`, text };
  }
  const markdown = wholeText(data['text/markdown']);
  if (markdown !== '') return { kind: 'markdown', text: markdown };
  return text === '' ? null : { kind: 'text', text: text.replace(COLOURS, ''), isError: false };
}

/** A text of a notebook, which may come in pieces; empty when it is none. */
export function wholeText(given: unknown): string {
  if (Array.isArray(given)) return given.filter((piece) => typeof piece === 'string').join('');
  return typeof given === 'string' ? given : '';
}
