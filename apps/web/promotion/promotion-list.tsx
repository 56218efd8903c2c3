import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, NativeSelect } from '@mantine/core';
import { PROMOTION_STATES } from '#core';
import type { Promotion } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import { readInstants } from '../parts/time-format.ts';
import runs from '../pages/runs.module.css';
import { promotionLook } from './promotion-look.ts';
import { boardQuery, promotionsQuery } from './promotion-queries.ts';
import { LookIcon, PromotionBadge } from './promotion-state.tsx';
import { ReleaseName } from './release-name.tsx';
import styles from './promotion-list.module.css';

interface Filter {
  readonly env: string | undefined;
  readonly state: string | undefined;
}
interface PromotionListProps {
  readonly filter: Filter;
  readonly onFilter: (change: { in?: string | undefined; state?: string | undefined }) => void;
}

/** Everything that was ever promoted, newest first. */
export function PromotionList({ filter, onFilter }: PromotionListProps) {
  const query = useInfiniteQuery(promotionsQuery(filter));
  const stands = useQuery(boardQuery).data?.items ?? [];
  const chosen = new Set(filter.state?.split(',') ?? []);
  const toggle = (state: string) => {
    const next = chosen.has(state) ? [...chosen].filter((one) => one !== state) : [...chosen, state];
    onFilter({ state: next.length === 0 ? undefined : next.join(',') });
  };
  const filtered = filter.env !== undefined || filter.state !== undefined;
  return (
    <>
      <div className={styles.filters}>
        <NativeSelect
          size="xs"
          w={170}
          aria-label="Environment"
          data-filter
          data={[{ value: '', label: 'All environments' }, ...stands.map(({ environment }) => environment)]}
          value={filter.env ?? ''}
          onChange={(event) => onFilter({ in: event.currentTarget.value || undefined })}
          data-testid="filter-environment"
        />
        <div className={styles.chips} role="group" aria-label="States">
          {PROMOTION_STATES.map((state) => (
            <button
              key={state}
              type="button"
              className={runs.chip}
              aria-pressed={chosen.has(state)}
              onClick={() => toggle(state)}
              data-testid={`filter-${state}`}
            >
              <LookIcon look={promotionLook(state)} size={14} />
              {promotionLook(state).label}
            </button>
          ))}
          {filtered && (
            <button type="button" className={runs.clear} onClick={() => onFilter({ in: undefined, state: undefined })}>
              Clear
            </button>
          )}
        </div>
      </div>
      <Loaded query={query} height={400}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0)
            return filtered ? (
              <Notice title="No promotion matches" hint="Take a filter away." />
            ) : (
              <Notice
                title="Nothing was promoted yet"
                hint={
                  <>
                    The board’s Promote buttons, <code>sluice promote</code> and your CI do.
                  </>
                }
              />
            );
          return (
            <>
              <PromotionTable promotions={items} />
              {query.hasNextPage && (
                <div className={runs.more}>
                  <Button
                    variant="default"
                    loading={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    Older promotions
                  </Button>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

/** `bare`: of one release, inside a card. */
export function PromotionTable({ promotions, bare = false }: { promotions: readonly Promotion[]; bare?: boolean }) {
  return (
    <div className={bare ? table.bare : table.frame}>
      <table className={table.table} data-testid="promotions">
        <thead>
          <tr>
            <th>Promotion</th>
            <th>To</th>
            <th>State</th>
            {!bare && <th>Release</th>}
            <th>Asked by</th>
            <th>Requested</th>
            <th>Why it stands there</th>
          </tr>
        </thead>
        <tbody>
          {promotions.map((one) => (
            <tr key={one.id} data-link data-testid={`promotion-${one.id}`}>
              <td className={table.tight}>
                <Link to="/promotions/$promotion" params={{ promotion: one.id }} className={`link ${table.strong}`}>
                  {one.id}
                </Link>
                {one.kind !== 'promote' && <span className="dim"> {one.kind}</span>}
              </td>
              <td className={table.tight}>
                <span className={styles.to}>
                  <EnvironmentMark env={one.environment} size={18} /> {one.environment}
                </span>
              </td>
              <td className={table.tight}>
                <PromotionBadge state={one.state} />
              </td>
              {!bare && (
                <td className={table.tight}>
                  <ReleaseName release={one.release} />
                </td>
              )}
              <td className={table.tight}>{one.actor}</td>
              <td className={table.tight}>
                <Ago at={one.requestedAt} />
              </td>
              <td className={table.fill}>
                <span className="dim clip" title={one.detail ?? undefined}>
                  {one.detail === null ? '' : readInstants(one.detail)}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
