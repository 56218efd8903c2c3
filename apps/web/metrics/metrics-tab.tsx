import { useMemo, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { NativeSelect, SegmentedControl } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import type { MetricSeries } from '#contracts';
import { metricsQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { formatValue } from '../parts/number-format.ts';
import { Card } from '../parts/page.tsx';
import { shortDigest } from '../parts/digest.ts';
import table from '../parts/table.module.css';
import { formatAbsolute, formatInstant } from '../parts/time-format.ts';
import { alignSeries, groupSeries, type Aligned } from './align-series.ts';
import { LineChart } from './line-chart.tsx';
import styles from './metrics.module.css';

const route = getRouteApi('/pipelines/$pipeline/metrics');
const LIMITS = ['50', '200', '500'];

export function MetricsTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const limit = search.limit ?? 200;
  const query = useQuery(metricsQuery(env, pipeline, limit));
  return (
    <Loaded query={query} height={400}>
      {({ items }) => {
        const tasks = [...new Set(items.map((one) => one.task))];
        const shown = items.filter((one) => search.task === undefined || one.task === search.task);
        if (items.length === 0)
          return (
            <Notice
              title="No metrics yet"
              hint={
                <>
                  A task tells one with a line <code>::metric name=auc value=0.91::</code> on its output, or in the file{' '}
                  <code>$SLUICE_METRICS</code>.
                </>
              }
            />
          );
        return (
          <>
            <div className={styles.bar}>
              <SegmentedControl
                size="xs"
                aria-label="How many runs"
                data={LIMITS.map((value) => ({ value, label: `${value} runs` }))}
                value={String(limit)}
                onChange={(value) =>
                  void navigate({ search: (old) => ({ ...old, limit: Number(value) }), replace: true })
                }
              />
              <NativeSelect
                size="xs"
                w={180}
                aria-label="Task"
                data={[{ value: '', label: 'All tasks' }, ...tasks.map((task) => ({ value: task, label: task }))]}
                value={search.task ?? ''}
                onChange={(event) =>
                  void navigate({
                    search: (old) => ({ ...old, task: event.currentTarget.value || undefined }),
                    replace: true,
                  })
                }
              />
              <span className="dim">
                <span className={styles.markerKey} aria-hidden /> release changed
              </span>
            </div>
            <div className={styles.charts} data-testid="metrics">
              {groupSeries(shown).map((group) => (
                <MetricCard key={`${group.task} ${group.name}`} {...group} />
              ))}
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

function MetricCard({ task, name, series }: { task: string; name: string; series: readonly MetricSeries[] }) {
  const navigate = useNavigate();
  const aligned = useMemo(() => alignSeries(series), [series]);
  const markers = useMemo(
    () => aligned.changes.map(({ x, release }) => ({ x, text: shortDigest(release).slice(0, 7) })),
    [aligned],
  );
  const [asTable, setAsTable] = useState(false);
  return (
    <Card
      id={`metric-${task}-${name}`}
      title={
        <>
          {name} <span className="dim mono"> {task}</span>
        </>
      }
      beside={
        <IconButton name={`${name} of ${task} as a table`} pressed={asTable} onClick={() => setAsTable(!asTable)}>
          <IconTable size={16} stroke={1.6} />
        </IconButton>
      }
    >
      {asTable ? (
        <MetricTable aligned={aligned} />
      ) : (
        <div className={styles.chart}>
          <LineChart
            xs={aligned.xs}
            lines={aligned.series}
            x={aligned.axis === 'interval' ? 'utc' : 'local'}
            xName={(index) => xText(aligned, index)}
            markers={markers}
            label={`${name} of ${task} over ${aligned.xs.length} runs`}
            together={aligned.axis}
            onPick={(index) => {
              const run = aligned.runs[index];
              if (run !== undefined) void navigate({ to: '/runs/$run', params: { run } });
            }}
          />
        </div>
      )}
    </Card>
  );
}

function MetricTable({ aligned }: { aligned: Aligned }) {
  return (
    <div className={styles.table} tabIndex={0} role="region" aria-label="Values">
      <table className={table.table} data-dense>
        <thead>
          <tr>
            <th>{aligned.axis === 'interval' ? 'Interval' : 'Run ended'}</th>
            {aligned.series.map((one) => (
              <th key={one.label} className={table.right}>
                {one.label}
              </th>
            ))}
            <th>Release</th>
          </tr>
        </thead>
        <tbody>
          {aligned.xs
            .map((x, index) => (
              <tr key={x}>
                <td className="num">{xText(aligned, index)}</td>
                {aligned.series.map((one) => (
                  <td key={one.label} className={`${table.right} num`}>
                    {one.ys[index] == null ? '–' : formatValue(one.ys[index])}
                  </td>
                ))}
                <td className="mono dim">{shortDigest(aligned.releases[index] ?? '')}</td>
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}

function xText(aligned: Aligned, index: number): string {
  const x = aligned.xs[index];
  if (x === undefined) return '';
  const iso = new Date(x * 1000).toISOString();
  return aligned.axis === 'interval' ? formatInstant(iso) : formatAbsolute(iso);
}
