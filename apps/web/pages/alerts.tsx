import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import {
  IconAlertHexagon,
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowsExchange,
  IconBan,
  IconBellOff,
  IconBrandSlack,
  IconBuildingFactory2,
  IconCheck,
  IconCircleX,
  IconClock,
  IconEqualNot,
  IconHandStop,
  IconHeartbeat,
  IconMail,
  IconPlayerPause,
  IconRepeat,
  IconRotateClockwise,
  IconSend,
  IconThumbUp,
  type Icon,
} from '@tabler/icons-react';
import type { AlertDelivery } from '#contracts';
import { useTestAlerts } from '../actions.ts';
import { alertsQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead, PipelineLink } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import styles from './alerts.module.css';

/** What was told to whom, and what became of it. */
export function AlertsPage() {
  const env = useEnv();
  const query = useInfiniteQuery(alertsQuery(env));
  const test = useTestAlerts(env);
  return (
    <>
      <PageHead
        title="Alerts"
        name="Alerts"
        beside="delivery log"
        actions={
          <Button
            variant="default"
            leftSection={<IconSend size={15} />}
            loading={test.isPending}
            onClick={() => test.mutate()}
            data-testid="alerts-test"
          >
            Send a test
          </Button>
        }
      />
      <PageBody>
        <Loaded query={query} height={400}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0)
              return (
                <Notice
                  title={`No alerts in ${env}`}
                  hint={
                    <>
                      Routes stand in the pipeline file (<code>alerts:</code>) and in{' '}
                      <code>environments/{env}.yaml</code>.
                    </>
                  }
                />
              );
            return (
              <>
                <AlertTable items={items} />
                {query.hasNextPage && (
                  <div className={styles.more}>
                    <Button
                      variant="default"
                      loading={query.isFetchingNextPage}
                      onClick={() => void query.fetchNextPage()}
                    >
                      Older alerts
                    </Button>
                  </div>
                )}
              </>
            );
          }}
        </Loaded>
      </PageBody>
    </>
  );
}

function AlertTable({ items }: { items: readonly AlertDelivery[] }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-testid="alerts">
        <thead>
          <tr>
            <th>When</th>
            <th>Event</th>
            <th>About</th>
            <th>To</th>
            <th>Delivery</th>
            <th className={table.right}>Tries</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => {
            const EventIcon = EVENTS[one.event] ?? IconAlertHexagon;
            const [, kind = '', to = one.target] = /^(slack|email|jenkins):(.*)$/.exec(one.target) ?? [];
            const TargetIcon = TARGETS[kind] ?? IconMail;
            return (
              <tr key={one.id} data-link>
                <td className={table.tight}>
                  <Ago at={one.at} />
                </td>
                <td className={table.tight}>
                  <span className={styles.pair} data-event={one.event}>
                    <EventIcon size={15} aria-hidden /> {one.event}
                  </span>
                </td>
                <td>
                  <div className={table.two}>
                    <span>{one.title}</span>
                    <span className="dim">
                      <About one={one} />
                    </span>
                  </div>
                </td>
                <td className={table.tight}>
                  <span className={styles.pair}>
                    <TargetIcon size={15} aria-hidden /> {to}
                  </span>
                </td>
                <td>
                  <Delivery one={one} />
                </td>
                <td className={`${table.tight} ${table.right} num`}>{one.tries}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function About({ one }: { one: AlertDelivery }) {
  if (one.promotionId !== null)
    return (
      <Link to="/promotions/$promotion" params={{ promotion: one.promotionId }} className="link num">
        promotion {one.promotionId}
      </Link>
    );
  return (
    <>
      <PipelineLink name={one.pipeline} />{' '}
      <Link to="/runs/$run" params={{ run: one.runId }} className="link num">
        run {one.runId}
      </Link>
    </>
  );
}

const EVENTS: Readonly<Record<AlertDelivery['event'], Icon>> = {
  'run.failed': IconAlertHexagon,
  'run.late': IconClock,
  'run.recovered': IconHeartbeat,
  'task.retrying': IconRotateClockwise,
  'task.approval': IconHandStop,
  'check.warned': IconAlertTriangle,
  'run.drifted': IconEqualNot,
  'run.looping': IconRepeat,
  'pipeline.paused': IconPlayerPause,
  'promotion.waiting': IconHandStop,
  'promotion.approved': IconThumbUp,
  'promotion.switched': IconArrowsExchange,
  'promotion.verified': IconCheck,
  'promotion.failed': IconBan,
  'promotion.rolled_back': IconArrowBackUp,
};

const TARGETS: Readonly<Record<string, Icon>> = {
  slack: IconBrandSlack,
  email: IconMail,
  jenkins: IconBuildingFactory2,
};

const STATES: Readonly<Record<AlertDelivery['state'], readonly [Icon, string]>> = {
  sent: [IconCheck, 'sent'],
  pending: [IconClock, 'pending'],
  rejected: [IconCircleX, 'rejected'],
  muted: [IconBellOff, 'muted'],
};

function Delivery({ one }: { one: AlertDelivery }) {
  const [StateShape, name] = STATES[one.state];
  return (
    <span className={styles.delivery}>
      <span className={styles.state} data-state={one.state}>
        <StateShape size={14} stroke={2.2} aria-hidden /> {name}
      </span>
      <span className="dim">
        {one.state === 'pending' && one.nextTryAt !== null ? (
          <>
            next try {Date.parse(one.nextTryAt) < Date.now() ? 'due' : <Ago at={one.nextTryAt} />}
            {one.detail !== null && `: ${one.detail}`}
          </>
        ) : one.detail !== 'ok' ? (
          one.detail
        ) : null}
      </span>
    </span>
  );
}
