import { useQuery } from '@tanstack/react-query';
import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import type { Environment, SystemStatus } from '#contracts';
import { environmentsQuery, systemQuery } from '../queries.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Card, PageBody, PageHead } from '../parts/page.tsx';
import { Release } from '../parts/release.tsx';
import table from '../parts/table.module.css';
import { Ago, Took } from '../parts/time.tsx';
import { formatDuration } from '../parts/time-format.ts';
import { Tile } from '../today/today-parts.tsx';
import today from '../today/today.module.css';
import styles from './system.module.css';

/** From then on it is worth telling; none of Sluice's own is open that long. */
const LONG_TRANSACTION_MS = 30_000;

export function SystemPage() {
  const query = useQuery(systemQuery);
  const environments = useQuery(environmentsQuery).data?.items ?? [];
  return (
    <>
      <PageHead
        title="System"
        name="System"
        beside={query.data && <span className="mono">v{query.data.version}</span>}
        actions={
          <>
            <a className="link dim" href="/api/docs">
              API
            </a>
            <a className="link dim" href="/metrics">
              Prometheus
            </a>
            <Button
              variant="default"
              leftSection={<IconRefresh size={15} />}
              loading={query.isFetching}
              onClick={() => void query.refetch()}
            >
              Read again
            </Button>
          </>
        }
      />
      <PageBody>
        <Loaded query={query}>{(status) => <System status={status} environments={environments} />}</Loaded>
      </PageBody>
    </>
  );
}

function System({ status, environments }: { status: SystemStatus; environments: readonly Environment[] }) {
  return (
    <div className={today.page} data-testid="system">
      <div className={today.tiles}>
        <Tile label="scheduler lag" tone={status.schedulerLagMs > 5000 ? 'bad' : undefined}>
          {formatDuration(status.schedulerLagMs)}
        </Tile>
        {status.oldestTransaction !== null && status.oldestTransaction.openMs > LONG_TRANSACTION_MS && (
          <Tile
            tone="bad"
            label={`is open the transaction ${status.oldestTransaction.pid} of ${status.oldestTransaction.application || status.oldestTransaction.user}: the database cannot be vacuumed until it ends`}
          >
            {formatDuration(status.oldestTransaction.openMs)}
          </Tile>
        )}
        <Tile
          label={`attempts at the ${status.executor.kind} executor, which runs ${status.executor.capacity} at once`}
        >
          {status.executor.running}
        </Tile>
        {['queued', 'running'].map((state) => (
          <Tile key={state} label={`runs ${state}`}>
            {status.runs[state] ?? 0}
          </Tile>
        ))}
        <Tile label="since the start">
          <Took from={status.startedAt} to={null} />
        </Tile>
      </div>
      <Card title="Pools" id="pools">
        <div className={table.bare}>
          <table className={table.table} data-dense>
            <thead>
              <tr>
                <th>Environment</th>
                <th>Pool</th>
                <th>Slots in use</th>
                <th className={table.right}>Task runs that wait</th>
              </tr>
            </thead>
            <tbody>
              {status.pools.map((pool) => (
                <tr key={`${pool.environment} ${pool.name}`}>
                  <td className={table.tight}>{pool.environment}</td>
                  <td className={`${table.tight} mono`}>{pool.name}</td>
                  <td>
                    <Slots used={pool.used} slots={pool.slots} name={`${pool.environment} ${pool.name}`} />
                  </td>
                  <td className={`${table.right} num`}>{pool.ready}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Card title="Environments" id="environments">
        <div className={table.bare}>
          <table className={table.table} data-dense>
            <thead>
              <tr>
                <th>Environment</th>
                <th>Schedules</th>
                <th>Release</th>
                <th>Since</th>
                <th>Storage</th>
              </tr>
            </thead>
            <tbody>
              {environments.map((one) => (
                <tr key={one.name}>
                  <td className={`${table.tight} ${table.strong}`}>{one.name}</td>
                  <td className={table.tight}>{one.schedules}</td>
                  <td className={table.tight}>
                    <Release digest={one.release} dirty={one.dirty} />
                  </td>
                  <td className={table.tight}>
                    <Ago at={one.releasedAt} />
                  </td>
                  <td className="mono dim">{one.storage}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </div>
  );
}

/** Small pools show each slot, large ones a bar. */
function Slots({ used, slots, name }: { used: number; slots: number; name: string }) {
  return (
    <span
      className={styles.slots}
      role="meter"
      aria-label={`Slots of ${name}`}
      aria-valuemin={0}
      aria-valuemax={slots}
      aria-valuenow={used}
    >
      {slots <= 32 ? (
        Array.from({ length: slots }, (_, index) => <i key={index} data-used={index < used || undefined} />)
      ) : (
        <span className={styles.meter}>
          <span style={{ width: `${(used / slots) * 100}%` }} />
        </span>
      )}
      <span className="num">
        {used} <span className="dim">of {slots}</span>
      </span>
    </span>
  );
}
