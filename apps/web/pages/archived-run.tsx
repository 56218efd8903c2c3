import { IconAlertTriangle } from '@tabler/icons-react';
import type { ArchivedRunDetail } from '#contracts';
import { CopyId } from '../parts/copy-id.tsx';
import { useEnvOfRun } from '../parts/environment.ts';
import { KeyValues } from '../parts/key-values.tsx';
import { Card, Fact, Facts, PageBody, PageHead, PipelineLink } from '../parts/page.tsx';
import { Release } from '../parts/release.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import { isBad } from '../parts/state-look.ts';
import table from '../parts/table.module.css';
import { readInstants } from '../parts/time-format.ts';
import { Ago, Took } from '../parts/time.tsx';
import styles from './run-facts.module.css';

/** What the archive keeps of a run past its retention: everything but its logs. */
export function ArchivedRun({ run }: { run: ArchivedRunDetail }) {
  useEnvOfRun(run.environment);
  return (
    <>
      <PageHead
        name={`${run.pipeline} run ${run.id}`}
        above={[<PipelineLink key="pipeline" name={run.pipeline} />]}
        title={<span className="num">Run {run.id}</span>}
        beside={<StateBadge state={run.state} size="large" />}
      >
        <p className={styles.why} data-testid="archived">
          Archived <Ago at={run.archivedAt} />: it ended longer ago than {run.environment} keeps runs. This is what the
          archive holds; its logs are gone. {readInstants(run.why)}
        </p>
        {run.reason !== null && (
          <p className={styles.reason} data-tone={isBad(run.state) ? 'bad' : 'calm'} data-testid="reason">
            <IconAlertTriangle size={15} aria-hidden />
            <span>{readInstants(run.reason)}</span>
          </p>
        )}
        <Facts>
          <Fact label="Run">
            <CopyId id={run.id} />
          </Fact>
          <Fact label="Environment">{run.environment}</Fact>
          <Fact label="Release">
            <Release digest={run.release} dirty={false} />
          </Fact>
          <Fact label="Trigger">{run.trigger}</Fact>
          <Fact label="Created">
            <Ago at={run.createdAt} />
          </Fact>
          <Fact label="Took">
            <Took from={run.startedAt} to={run.finishedAt} />
          </Fact>
          <Fact label="Archive">
            <span className="mono">{run.archive}</span>
          </Fact>
        </Facts>
      </PageHead>
      <PageBody>
        <div style={{ display: 'grid', gap: 16 }}>
          <ArchivedTaskRuns run={run} />
          <Card title="Parameters">
            <KeyValues values={run.params} empty="This run had no parameters." />
          </Card>
          <Card title="Metrics">
            <KeyValues values={metricsOf(run)} empty="This run told no metrics." />
          </Card>
        </div>
      </PageBody>
    </>
  );
}

function ArchivedTaskRuns({ run }: { run: ArchivedRunDetail }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-dense data-testid="task-runs">
        <thead>
          <tr>
            <th>State</th>
            <th>Task</th>
            <th className={table.right}>Tries</th>
            <th className={table.right}>Took</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {run.taskRuns.map((one) => (
            <tr key={`${one.taskId} ${one.mapIndex}`}>
              <td>
                <StateBadge state={one.state} />
              </td>
              <td className="mono">
                {one.taskId} {one.mapKey}
              </td>
              <td className={table.right}>{one.tries}</td>
              <td className={table.right}>
                <Took from={one.startedAt} to={one.finishedAt} />
              </td>
              <td>{one.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The last value that each task told of each. */
function metricsOf(run: ArchivedRunDetail): Record<string, number> {
  return Object.fromEntries(run.metrics.map(({ taskId, name, value }) => [`${taskId} ${name}`, value]));
}
