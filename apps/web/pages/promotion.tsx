import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { IconExternalLink } from '@tabler/icons-react';
import type { PromotionDetail } from '#contracts';
import { CopyId } from '../parts/copy-id.tsx';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Card, Fact, Facts, PageBody, PageHead } from '../parts/page.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import table from '../parts/table.module.css';
import { Ago, Took } from '../parts/time.tsx';
import { readInstants } from '../parts/time-format.ts';
import { Approvals } from '../promotion/approvals.tsx';
import { Gates } from '../promotion/gates.tsx';
import { PromotionActions } from '../promotion/promotion-actions.tsx';
import { kindTitle, promotionLook } from '../promotion/promotion-look.ts';
import { promotionQuery } from '../promotion/promotion-queries.ts';
import { PromotionBadge } from '../promotion/promotion-state.tsx';
import { ReleaseName } from '../promotion/release-name.tsx';
import { Steps } from '../promotion/steps.tsx';
import styles from './promotion.module.css';

const route = getRouteApi('/promotions/$promotion');

export function PromotionPage() {
  const { promotion: id } = route.useParams();
  const query = useQuery(promotionQuery(id));
  return (
    <>
      {query.data === undefined && <PageHead title={`Promotion ${id}`} name={`Promotion ${id}`} />}
      <Loaded query={query} height={480} page>
        {(promotion) => <Shown promotion={promotion} />}
      </Loaded>
    </>
  );
}

function Shown({ promotion }: { promotion: PromotionDetail }) {
  const { id, kind, environment, state, detail, runs } = promotion;
  const bad = ['failed', 'rolled_back', 'rejected', 'expired'].includes(state);
  return (
    <>
      <PageHead
        name={`${kindTitle(kind)} ${id} to ${environment}`}
        above={[
          <Link key="board" to="/environments" className="link">
            Environments
          </Link>,
        ]}
        title={`${kindTitle(kind)} ${id}`}
        beside={
          <>
            <span className={styles.to}>
              to <EnvironmentMark env={environment} size={20} /> <b>{environment}</b>
            </span>
            <span aria-live="polite" aria-atomic="true">
              <span className="sr-only">State: {promotionLook(state).label}</span>
              <span aria-hidden>
                <PromotionBadge state={state} size="large" />
              </span>
            </span>
          </>
        }
        actions={<PromotionActions promotion={promotion} />}
      >
        {detail !== null && (
          <p className={styles.detail} data-tone={bad ? 'bad' : 'calm'} data-testid="detail">
            {readInstants(detail)}
          </p>
        )}
        <PromotionFacts promotion={promotion} />
      </PageHead>
      <PageBody>
        <div className={styles.page}>
          <Steps promotion={promotion} />
          <div className={styles.columns}>
            <div className={styles.column}>
              <Gates promotion={promotion} />
              {runs.length > 0 && <PromotionRuns runs={runs} />}
            </div>
            <div className={styles.column}>
              <Approvals promotion={promotion} />
            </div>
          </div>
        </div>
      </PageBody>
    </>
  );
}

function PromotionFacts({ promotion }: { promotion: PromotionDetail }) {
  const { release, previous, fallback, actor, reason, buildUrl, requestedAt, finishedAt } = promotion;
  return (
    <Facts>
      <Fact label="Release">
        <ReleaseName release={release} strong />
      </Fact>
      <Fact label="Before">
        {previous === null ? <span className="dim">nothing</span> : <ReleaseName release={previous} />}
      </Fact>
      {fallback !== null && fallback.digest !== previous?.digest && (
        <Fact label="Returns to, if it fails">
          <ReleaseName release={fallback} />
        </Fact>
      )}
      {previous !== null && previous.digest !== release.digest && (
        <Fact label="Changes">
          <Link
            to="/releases/$release"
            params={{ release: release.digest }}
            search={{ tab: 'changes', from: previous.digest }}
            className="link"
          >
            Compare the two
          </Link>
        </Fact>
      )}
      <Fact label="Asked by">{actor}</Fact>
      <Fact label="Requested">
        <Ago at={requestedAt} />
      </Fact>
      <Fact label={finishedAt === null ? 'For' : 'Took'}>
        <Took from={requestedAt} to={finishedAt} />
      </Fact>
      {buildUrl !== null && (
        <Fact label="Build">
          <a href={buildUrl} className={`link ${styles.build}`} rel="noreferrer" target="_blank" data-testid="build">
            <span className="clip">{buildName(buildUrl)}</span>{' '}
            <IconExternalLink size={14} aria-label="opens elsewhere" />
          </a>
        </Fact>
      )}
      {reason !== null && <Fact label="Reason">{reason}</Fact>}
      <Fact label="Plan">
        <CopyId id={promotion.planHash} shown={promotion.planHash.slice(0, 8)} />
      </Fact>
    </Facts>
  );
}

/** `https://ci.example.com/job/sluice/job/main/42/` → `ci.example.com … main/42`. */
function buildName(url: string): string {
  const { host, pathname } = new URL(url);
  const parts = pathname.split('/').filter((one) => one !== '' && one !== 'job');
  return [host, ...parts.slice(-2)].join('/');
}

function PromotionRuns({ runs }: { runs: PromotionDetail['runs'] }) {
  return (
    <Card title="Runs it asked for" id="promotion-runs" beside="they publish nothing">
      <div className={table.bare}>
        <table className={table.table} data-dense>
          <thead>
            <tr>
              <th>State</th>
              <th>For</th>
              <th>Pipeline</th>
              <th>In</th>
              <th>Run</th>
              <th>Created</th>
              <th>Reason</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.runId} data-link>
                <td className={table.tight}>
                  <StateBadge state={run.state} />
                </td>
                <td className={table.tight}>{run.trigger}</td>
                <td className={table.tight}>{run.pipeline}</td>
                <td className={table.tight}>{run.environment}</td>
                <td className={table.tight}>
                  <Link to="/runs/$run" params={{ run: run.runId }} className="link mono">
                    {run.runId}
                  </Link>
                </td>
                <td className={table.tight}>
                  <Ago at={run.createdAt} />
                </td>
                <td className={table.fill}>
                  <span className="dim clip" title={run.reason ?? undefined}>
                    {run.reason}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
