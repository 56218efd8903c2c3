import { useState } from 'react';

/** Which of a list are chosen. What is not shown any more is not chosen either. */
export interface Selection {
  readonly chosen: ReadonlySet<string>;
  readonly isAll: boolean;
  /** With `range`, everything from the one that was toggled last up to this one becomes what this one becomes. */
  toggle(id: string, range: boolean): void;
  toggleAll(): void;
  clear(): void;
}

export function useSelection(ids: readonly string[]): Selection {
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState<string | null>(null);
  const chosen = new Set(ids.filter((id) => kept.has(id)));
  const isAll = ids.length > 0 && chosen.size === ids.length;
  return {
    chosen,
    isAll,
    toggle: (id, range) => {
      setKept(toggled(ids, chosen, id, range ? last : null));
      setLast(id);
    },
    toggleAll: () => setKept(isAll ? new Set() : new Set(ids)),
    clear: () => setKept(new Set()),
  };
}

/** `from` null or gone: only `id`. */
export function toggled(
  ids: readonly string[],
  chosen: ReadonlySet<string>,
  id: string,
  from: string | null,
): ReadonlySet<string> {
  const next = new Set(chosen);
  const [a, b] = [from === null ? -1 : ids.indexOf(from), ids.indexOf(id)];
  const range = a < 0 ? [id] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  for (const one of range)
    if (chosen.has(id)) next.delete(one);
    else next.add(one);
  return next;
}
