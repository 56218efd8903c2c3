import { SluiceError } from '#core';

/** Lists are paged by the id of the last item; callers get it wrapped, so that nobody builds cursors by hand. */
export function encodeCursor(lastId: string): string {
  return Buffer.from(`after:${lastId}`).toString('base64url');
}

/** Throws `bad_request` for a text that `encodeCursor` did not make. */
export function decodeCursor(cursor: string | null): string | null {
  if (cursor === null) return null;
  const id = /^after:([1-9]\d{0,17})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (id === undefined)
    throw new SluiceError('bad_request', `"${cursor}" is not a cursor.`, { hint: 'Use `next` of the page before.' });
  return id;
}

/** Cuts a list that was read with one row too many; `next` is null on the last page. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(toItem), next: rows.length > limit && last ? encodeCursor(last.id) : null };
}
