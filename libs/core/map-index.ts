/*
 * A task in a group may fan out once more for each item of the group, into as many task runs as that item has. Its map
 * indexes say both places, so that which of them belong to an item needs no memory, whenever the lists become known.
 */

/** Task runs that one item of a group may have of one task. */
export const MOST_INNER_ITEMS = 10_000;

/** No map index is higher. */
export const MOST_MAP_INDEX = 100_000 * MOST_INNER_ITEMS;

interface MayFanOutWithin {
  /** Null or absent: a map index of it is an item of its group. */
  readonly inner?: object | null;
}

/** Which item of the group a task run belongs to. */
export function itemOf({ inner }: MayFanOutWithin, mapIndex: number): number {
  return inner ? Math.floor(mapIndex / MOST_INNER_ITEMS) : mapIndex;
}

/** The first task run of an item, which also stands for all of it when its own list never became known. */
export function firstOf({ inner }: MayFanOutWithin, item: number): number {
  return inner ? item * MOST_INNER_ITEMS : item;
}

/** Its place in the list of its item. */
export function innerOf(mapIndex: number): number {
  return mapIndex % MOST_INNER_ITEMS;
}

/** The key of a task run whose item has a list of its own: the item's, and its own below it. */
export function joinKeys(item: string, inner: string): string {
  return `${item}/${inner}`;
}

/** Null: the key of an item, with nothing below it. */
export function splitKey(key: string): { readonly item: string; readonly inner: string } | null {
  const at = key.indexOf('/');
  return at < 0 ? null : { item: key.slice(0, at), inner: key.slice(at + 1) };
}
