import type { Page } from '#contracts/client';

const LARGEST_PAGE = 200;

/** The first `limit` items over as many pages as it takes; 0: all of them. */
export async function collectPages<T>(
  limit: number,
  fetchPage: (page: { readonly limit: number; readonly cursor: string | undefined }) => Promise<Page<T>>,
): Promise<T[]> {
  const wanted = limit === 0 ? Infinity : limit;
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    // One page after the other: each cursor comes from the page before.
    const page = await fetchPage({ limit: Math.min(wanted - rows.length, LARGEST_PAGE), cursor });
    rows.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && rows.length < wanted);
  return rows.slice(0, wanted);
}
