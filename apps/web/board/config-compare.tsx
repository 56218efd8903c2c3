import { useQueries, useQuery } from '@tanstack/react-query';
import type { PromotionStand } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Failure, Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import { configurationsQuery, environmentDiffQuery } from '../promotion/promotion-queries.ts';
import { configRows } from './config-rows.ts';
import styles from './config.module.css';

/** What the configurations of all environments differ in, side by side, and who applied them when. */
export function ConfigCompare({ stands }: { stands: readonly PromotionStand[] }) {
  const [first, ...others] = stands.map(({ environment }) => environment);
  const diffs = useQueries({ queries: others.map((other) => environmentDiffQuery(first ?? '', other)) });
  const failed = diffs.find(({ error }) => error !== null);
  const known = diffs.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const rows = known.length === others.length ? configRows(known) : [];
  return (
    <div className={styles.page}>
      {failed !== undefined ? (
        <Failure error={failed.error} onRetry={() => void failed.refetch()} />
      ) : others.length === 0 ? (
        <Notice title="Nothing to compare with" hint="There is one environment only." />
      ) : (
        <Card
          title="What differs"
          beside={<span>{rows.length} fields; storage, which always differs, and secret values are left out</span>}
          id="config"
        >
          <div className={table.bare}>
            <table className={`${table.table} ${styles.matrix}`} data-dense>
              <thead>
                <tr>
                  <th>Field</th>
                  {stands.map(({ environment }) => (
                    <th key={environment}>
                      <span className={styles.env}>
                        <EnvironmentMark env={environment} size={18} /> {environment}
                      </span>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map(({ field, values }) => (
                  <tr key={field}>
                    <th scope="row" className="mono">
                      {field}
                    </th>
                    {values.map((value, index) => (
                      <td key={stands[index]?.environment}>
                        <Value value={value} />
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Card>
      )}
      <div className={styles.applied}>
        {stands.map(({ environment }) => (
          <Applied key={environment} env={environment} />
        ))}
      </div>
    </div>
  );
}

function Value({ value }: { value: unknown }) {
  if (value === undefined) return <span className="dim">not there</span>;
  return <pre className={styles.value}>{typeof value === 'string' ? value : JSON.stringify(value, null, 1)}</pre>;
}

function Applied({ env }: { env: string }) {
  const items = useQuery(configurationsQuery(env)).data?.items ?? [];
  return (
    <Card
      title={
        <span className={styles.env}>
          <EnvironmentMark env={env} size={18} /> {env}
        </span>
      }
      beside="as applied"
    >
      <ul>
        {items.slice(0, 6).map((one) => (
          <li key={one.seq} className={styles.one}>
            <span className="mono">{one.hash.slice(0, 8)}</span>
            <span className="clip" title={one.fields.map(({ field }) => field).join(', ')}>
              {one.seq === 1 ? 'first applied' : `${one.fields.length} ${one.fields.length === 1 ? 'field' : 'fields'}`}{' '}
              by {one.actor}
            </span>
            <span className="dim">
              <Ago at={one.at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
