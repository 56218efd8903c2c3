import { useCallback, useState } from 'react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { pipelineQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import { TaskGraph } from './task-graph.tsx';
import type { GraphTask } from './task-node.tsx';
import styles from './graph.module.css';

const route = getRouteApi('/pipelines/$pipeline/graph');

export function PipelineGraphTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const detail = useSuspenseQuery(pipelineQuery(env, pipeline)).data;
  const [chosen, setChosen] = useState<GraphTask | null>(null);
  const open = useCallback((task: GraphTask) => setChosen(task), []);
  if (detail.tasks.length === 0)
    return <Notice title="No graph" hint="The file has problems; the YAML tab shows them." />;
  const task = chosen;
  return (
    <div className={styles.side}>
      <TaskGraph tasks={detail.tasks} layout={detail.layout} onOpen={open} />
      {task === null ? (
        <p className={styles.hintText}>A click on a task shows what it reads, writes and waits for.</p>
      ) : (
        <Card
          title={<span className="mono">{task.id}</span>}
          beside={
            task.origin.length > 0 ? (
              <span className="mono">{task.origin.join(', ')}</span>
            ) : (
              <Link to="/pipelines/$pipeline/source" params={{ pipeline }} hash={`L${task.line}`} className="link">
                line {task.line}
              </Link>
            )
          }
        >
          <dl className={styles.facts}>
            <Row label="Kind" values={[task.kind]} />
            <Row label="Runs when" values={[task.when]} />
            <Row label="After" values={task.upstream} />
            <Row label="Reads" values={task.reads} />
            <Row label="Writes" values={task.writes} />
            <Row label="Metrics" values={task.metrics} />
            {task.mapped && <Row label="Fan-out" values={['matrix']} />}
            {task.group !== null && (
              <Row
                label="Group"
                values={[task.group.mapped ? `${task.group.id}, each item by itself` : task.group.id]}
              />
            )}
            {task.final && <Row label="Place" values={['finally']} />}
          </dl>
        </Card>
      )}
    </div>
  );
}

function Row({ label, values }: { label: string; values: readonly string[] }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className={values.length === 0 ? 'dim' : 'mono'}>{values.length === 0 ? 'nothing' : values.join(', ')}</dd>
    </div>
  );
}
