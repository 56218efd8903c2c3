import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconHandStop } from '@tabler/icons-react';
import { Card } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { promotionLook } from '../promotion/promotion-look.ts';
import { boardQuery, promotionsQuery } from '../promotion/promotion-queries.ts';
import { LookIcon } from '../promotion/promotion-state.tsx';
import styles from './today.module.css';

const SHOWN = 6;

/** The last promotions and the releases on hold, in all environments. */
export function PromotionsCard() {
  const newest = useInfiniteQuery(promotionsQuery({}, SHOWN)).data?.pages[0]?.items ?? [];
  const holds = (useQuery(boardQuery).data?.items ?? []).flatMap((stand) => stand.holds);
  return (
    <Card
      title="Last promotions"
      id="last-promotions"
      beside={
        <Link to="/environments" className="link">
          Board
        </Link>
      }
    >
      {newest.length + holds.length === 0 && <p className={styles.calm}>Nothing was promoted yet.</p>}
      <ul>
        {holds.map((hold) => (
          <li key={`${hold.environment} ${hold.release.digest}`} className={styles.result} data-testid="held">
            <IconHandStop size={15} aria-hidden style={{ color: 'var(--s-failed-fg)', flex: 'none' }} />
            <Link
              to="/releases/$release"
              params={{ release: hold.release.digest }}
              className="link clip"
              title={hold.reason}
            >
              {hold.release.alias} <span className="dim">on hold in {hold.environment}</span>
            </Link>
            <span className="dim">
              <Ago at={hold.at} />
            </span>
          </li>
        ))}
        {newest.map((one) => (
          <li key={one.id} className={styles.result}>
            <LookIcon look={promotionLook(one.state)} />
            <Link
              to="/promotions/$promotion"
              params={{ promotion: one.id }}
              className="link clip"
              title={one.detail ?? undefined}
            >
              {one.release.alias}{' '}
              <span className="dim">
                to {one.environment}, {promotionLook(one.state).label}
              </span>
            </Link>
            <span className="dim">
              <Ago at={one.stateAt} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
