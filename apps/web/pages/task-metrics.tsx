import { lazy, Suspense } from 'react';
import type { TaskRunDetail } from '#contracts';
import { Notice } from '../parts/notice.tsx';
import { formatValue } from '../parts/number-format.ts';
import { Card } from '../parts/page.tsx';
import styles from './task.module.css';

const LineChart = lazy(() => import('../metrics/line-chart.tsx').then((file) => ({ default: file.LineChart })));
type Point = TaskRunDetail['attempts'][number]['metrics'][number];

/** What one attempt measured: a value, or a curve where the task told steps. */
export function TaskMetrics({ attempt }: { attempt: TaskRunDetail['attempts'][number] | undefined }) {
  if (attempt === undefined || attempt.metrics.length === 0)
    return (
      <Notice
        title="No metrics in this attempt"
        hint={
          <>
            A line <code>::metric name=auc value=0.91::</code> tells one.
          </>
        }
      />
    );
  return (
    <div className={styles.metrics} data-testid="task-metrics">
      {[...byName(attempt.metrics)].map(([name, points]) => (
        <Card key={name} title={name} beside={points.length > 1 ? `${points.length} steps` : undefined}>
          <p className={styles.value}>{formatValue(points.at(-1)?.value ?? NaN)}</p>
          {points.length > 1 && (
            <Suspense fallback={null}>
              <Curve name={name} points={points} />
            </Suspense>
          )}
        </Card>
      ))}
    </div>
  );
}

function Curve({ name, points }: { name: string; points: readonly Point[] }) {
  const xs = points.map((point, index) => point.step ?? index);
  return (
    <div style={{ padding: '0 12px 12px 4px' }}>
      <LineChart
        xs={xs}
        lines={[{ label: name, ys: points.map((point) => point.value) }]}
        x="step"
        xName={(index) => `step ${xs[index] ?? ''}`}
        label={`${name} by step`}
      />
    </div>
  );
}

/** In the order first told; steps ascending. */
function byName(points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) groups.set(point.name, [...(groups.get(point.name) ?? []), point]);
  for (const list of groups.values()) list.sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  return groups;
}
