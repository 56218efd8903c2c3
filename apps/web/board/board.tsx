import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { PromotionStand } from '#contracts';
import { environmentsQuery } from '../queries.ts';
import { releasesQuery } from '../promotion/promotion-queries.ts';
import { BoardColumn } from './board-column.tsx';
import { NewReleases } from './new-releases.tsx';
import styles from './board.module.css';

/** Releases on the left, then the environments in the order in which releases go through them. */
export function Board({ stands }: { stands: readonly PromotionStand[] }) {
  const environments = useQuery(environmentsQuery).data?.items ?? [];
  const newest = useInfiniteQuery(releasesQuery({ dirty: false }, 20));
  return (
    <div className={styles.scroll}>
      <ol className={styles.board} data-testid="board" aria-label="Releases, and environments in their order">
        <li className={styles.lane}>
          <NewReleases releases={newest.data?.pages[0]?.items ?? []} pending={newest.isPending} stands={stands} />
        </li>
        {stands.map((stand) => (
          <li key={stand.environment} className={styles.lane}>
            <BoardColumn
              stand={stand}
              environment={environments.find((one) => one.name === stand.environment)}
              previews={environments.filter(({ preview }) => preview?.parent === stand.environment)}
              next={stands.filter(({ from }) => from.includes(stand.environment)).map((one) => one.environment)}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}
