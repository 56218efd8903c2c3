import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { PromotionDetail } from '#contracts';
import { meQuery } from '../queries.ts';
import { Ago } from '../parts/time.tsx';
import { readInstants } from '../parts/time-format.ts';
import { GateList } from '../promotion/gate-list.tsx';
import { myApproval } from '../promotion/my-approval.ts';
import { kindTitle } from '../promotion/promotion-look.ts';
import { PromotionBadge } from '../promotion/promotion-state.tsx';
import { CommitLine, ReleaseName } from '../promotion/release-name.tsx';
import styles from './board.module.css';

/** A promotion under way, or in line. */
export function OpenPromotion({ promotion }: { promotion: PromotionDetail }) {
  const me = useQuery(meQuery).data;
  const { id, kind, state, detail, release, approvals, gates, actor, requestedAt } = promotion;
  const mine = state === 'approval' && me !== undefined && myApproval(promotion, me).kind === 'may';
  return (
    <article className={styles.card} data-open data-testid={`promotion-${id}`}>
      <div className={styles.cardRow}>
        <Link to="/promotions/$promotion" params={{ promotion: id }} className={`link ${styles.promotionName}`}>
          {kindTitle(kind)} {id}
        </Link>
        <PromotionBadge state={state} />
      </div>
      <ReleaseName release={release} strong />
      <CommitLine release={release} />
      {state !== 'queued' && <GateList gates={gates} />}
      {approvals.needed > 0 && (
        <p className={styles.approvals}>
          <span className={styles.pips} aria-hidden>
            {Array.from({ length: approvals.needed }, (_, index) => (
              <span key={index} data-given={index < approvals.counted.length || undefined} />
            ))}
          </span>
          {approvals.counted.length} of {approvals.needed} {approvals.needed === 1 ? 'approval' : 'approvals'}
          {approvals.counted.length > 0 && <span className="dim clip">{approvals.counted.join(', ')}</span>}
        </p>
      )}
      {detail !== null && state !== 'gates' && <p className={styles.detail}>{readInstants(detail)}</p>}
      <div className={styles.cardFoot}>
        <span className="dim clip">
          {actor}, <Ago at={requestedAt} />
        </span>
        <Button
          size="compact-xs"
          variant={mine ? 'filled' : 'default'}
          rightSection={<IconArrowRight size={13} />}
          renderRoot={(props: Record<string, unknown>) => (
            <Link to="/promotions/$promotion" params={{ promotion: id }} {...props} />
          )}
          aria-label={`${mine ? 'Review' : 'Open'} ${kindTitle(kind).toLowerCase()} ${id}`}
        >
          {mine ? 'Review' : 'Open'}
        </Button>
      </div>
    </article>
  );
}
