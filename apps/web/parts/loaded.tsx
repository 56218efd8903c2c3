import type { ReactNode } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import { PageBody } from './page.tsx';
import { Failure } from './notice.tsx';
import styles from './loaded.module.css';

interface LoadedProps<T> {
  readonly query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch' | 'isPending'>;
  readonly children: (data: T) => ReactNode;
  /** Height of what is about to come, in pixels, so that the page does not jump. */
  readonly height?: number;
  /** What comes is a whole page with its own head: the placeholder keeps the page's margins. */
  readonly page?: boolean;
}

/** What was read; until then a quiet placeholder that shows only if reading takes a while. Old data stays when a later read fails. */
export function Loaded<T>({ query, children, height = 240, page = false }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  const ghost = <div className={styles.ghost} style={{ height }} role="status" aria-label="Loading" />;
  return page ? <PageBody>{ghost}</PageBody> : ghost;
}
