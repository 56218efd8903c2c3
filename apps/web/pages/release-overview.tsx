import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconCircleCheck } from '@tabler/icons-react';
import type { Promotion, PromotionStand, ReleaseDetail } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Card, PipelineLink } from '../parts/page.tsx';
import { ProblemList } from '../parts/problem-list.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import { PromotionTable } from '../promotion/promotion-list.tsx';
import { boardQuery, promotionsQuery } from '../promotion/promotion-queries.ts';
import styles from './releases.module.css';

/** Where a release is and was, and what it holds. */
export function ReleaseOverview({ release }: { release: ReleaseDetail }) {
  const promotions = useInfiniteQuery(promotionsQuery({ release: release.digest }));
  const stands = useQuery(boardQuery).data?.items ?? [];
  return (
    <div className={styles.page}>
      {release.problems.length > 0 && (
        <Card title="Problems">
          <div className={styles.padded}>
            <ProblemList problems={release.problems} />
          </div>
        </Card>
      )}
      <div className={styles.columns}>
        <div className={styles.page}>
          <Loaded query={promotions} height={160}>
            {({ pages }) => {
              const items = pages.flatMap((page) => page.items);
              return (
                <Card title="Promotions">
                  {items.length === 0 ? (
                    <p className={`${styles.padded} dim`}>Nobody has promoted this release yet.</p>
                  ) : (
                    <PromotionTable promotions={items} bare />
                  )}
                </Card>
              );
            }}
          </Loaded>
          <Card title="Pipelines" beside={<span className="num">{release.pipelines.length}</span>}>
            <div className={table.bare}>
              <table className={table.table} data-dense data-testid="release-pipelines">
                <thead>
                  <tr>
                    <th>Pipeline</th>
                    <th>File</th>
                    <th className={table.right}>Tasks</th>
                  </tr>
                </thead>
                <tbody>
                  {release.pipelines.map((one) => (
                    <tr key={one.name} data-link>
                      <td>
                        <PipelineLink name={one.name} />
                      </td>
                      <td className="mono">{one.file}</td>
                      <td className={`${table.tight} ${table.right} num`}>{one.tasks}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Card>
        </div>
        <Where
          release={release}
          stands={stands}
          promotions={promotions.data?.pages.flatMap((page) => page.items) ?? []}
        />
      </div>
    </div>
  );
}

interface WhereProps {
  readonly release: ReleaseDetail;
  readonly stands: readonly PromotionStand[];
  readonly promotions: readonly Promotion[];
}

function Where({ release, stands, promotions }: WhereProps) {
  return (
    <Card title="Where it is" id="where">
      <ul className={styles.where_list}>
        {stands.map(({ environment, current, holds }) => {
          const verified = promotions.find((one) => one.environment === environment && one.state === 'verified');
          const was = promotions.find((one) => one.environment === environment && one.switchedAt !== null);
          const held = holds.some((hold) => hold.release.digest === release.digest);
          return (
            <li key={environment}>
              <EnvironmentMark env={environment} size={20} />
              <b>{environment}</b>
              {verified !== undefined && (
                <Link
                  to="/promotions/$promotion"
                  params={{ promotion: verified.id }}
                  className="link"
                  style={{ color: 'var(--s-success-fg)' }}
                >
                  <IconCircleCheck size={14} aria-hidden style={{ verticalAlign: -2 }} /> verified
                </Link>
              )}
              {held && <span style={{ color: 'var(--s-failed-fg)' }}>on hold</span>}
              <span className="dim">
                {current?.digest === release.digest ? (
                  <>
                    runs since <Ago at={current.since} />
                  </>
                ) : was === undefined ? (
                  'never ran here'
                ) : (
                  <>
                    ran from <Ago at={was.switchedAt} />
                  </>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
