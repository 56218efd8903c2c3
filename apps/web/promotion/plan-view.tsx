import type { ReactNode } from 'react';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import type { PromotionPlan } from '#contracts';
import { formatInstant } from '../parts/time-format.ts';
import { shortDigest } from '../parts/digest.ts';
import { PipelineChanges } from './pipeline-changes.tsx';
import { gateRest, gateTitle } from './promotion-look.ts';
import styles from './plan.module.css';

/** What a promotion would change, and what it has to pass. */
export function PlanView({ plan }: { plan: PromotionPlan }) {
  const { pipelines, schedules, paths, missing, runsInFlight } = plan;
  const lacking = [...missing.secrets.map((name) => `secret ${name}`), ...missing.pools.map((name) => `pool ${name}`)];
  return (
    <div className={styles.plan} data-testid="plan">
      <Risk plan={plan} />
      {lacking.length > 0 && (
        <Section title="Missing here" count={lacking.length} tone="bad">
          <ul className={styles.list}>
            {lacking.map((one) => (
              <li key={one}>
                {one}: add it to <code>environments/{plan.environment}.yaml</code>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="Pipelines" count={pipelines.length}>
        {pipelines.length === 0 ? (
          <p className="dim">No pipeline changes: {plan.environment} would run the same.</p>
        ) : (
          <PipelineChanges pipelines={pipelines} />
        )}
      </Section>
      {schedules.length > 0 && (
        <Section title="Next fires" count={schedules.length}>
          <Fires schedules={schedules} />
        </Section>
      )}
      {paths.added.length + paths.orphaned.length > 0 && (
        <Section title="Data" count={paths.added.length + paths.orphaned.length}>
          <ul className={styles.list}>
            {paths.added.map((path) => (
              <li key={path}>
                <span className="mono">{path}</span> <span className="dim">is written from now on</span>
              </li>
            ))}
            {paths.orphaned.map((path) => (
              <li key={path}>
                <span className="mono">{path}</span> <span className="dim">is no longer written; its data stays</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {runsInFlight.length > 0 && (
        <Section title="Runs in flight on another release" count={runsInFlight.reduce((sum, one) => sum + one.runs, 0)}>
          <ul className={styles.list}>
            {runsInFlight.map(({ pipeline, release, runs }) => (
              <li key={`${pipeline} ${release}`}>
                {pipeline}: {runs} on <span className="mono">{shortDigest(release)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="Has to pass" count={plan.gates.length}>
        <Demands plan={plan} />
      </Section>
    </div>
  );
}

function Risk({ plan: { risk } }: { plan: PromotionPlan }) {
  const Shape = risk.level === 'none' ? IconCircleCheck : risk.level === 'low' ? IconInfoCircle : IconAlertTriangle;
  return (
    <p className={styles.risk} data-level={risk.level} data-testid="risk">
      <Shape size={17} stroke={1.8} aria-hidden />
      <b>Risk: {risk.level}</b>
      <span>{risk.reasons.length === 0 ? 'nothing changes' : risk.reasons.join(', ')}</span>
    </p>
  );
}

interface SectionProps {
  readonly title: string;
  readonly count: number;
  readonly tone?: 'bad';
  readonly children: ReactNode;
}

function Section({ title, count, tone, children }: SectionProps) {
  return (
    <section className={styles.section} data-tone={tone}>
      <h3>
        {title} <span className={styles.count}>{count}</span>
      </h3>
      {children}
    </section>
  );
}

function Fires({ schedules }: { schedules: PromotionPlan['schedules'] }) {
  const shown = (fires: readonly string[]) =>
    fires.length === 0 ? (
      <span className="dim">never</span>
    ) : (
      fires.map((at) => (
        <span key={at} className="num">
          {formatInstant(at)}
        </span>
      ))
    );
  return (
    <table className={styles.fires}>
      <thead>
        <tr>
          <th>Pipeline</th>
          <th>Before</th>
          <th>After</th>
        </tr>
      </thead>
      <tbody>
        {schedules.map(({ pipeline, before, after }) => (
          <tr key={pipeline}>
            <th scope="row">{pipeline}</th>
            <td>
              <div className={styles.instants}>{shown(before)}</div>
            </td>
            <td>
              <div className={styles.instants}>{shown(after)}</div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Demands({ plan }: { plan: PromotionPlan }) {
  const { gates, approvals, window, freezes, hold } = plan;
  const { needed, groups, excludeAuthor } = approvals;
  return (
    <ul className={styles.list}>
      {gates.map((gate) => (
        <li key={gate.name}>
          {gateTitle(gate.kind)} <span className="mono dim">{gateRest(gate)}</span>
        </li>
      ))}
      {needed > 0 && (
        <li>
          {needed} {needed === 1 ? 'approval' : 'approvals'}
          {groups.length > 0 && ` of ${groups.join(' or ')}`}
          {excludeAuthor && <span className="dim">, not by who asks or wrote it</span>}
        </li>
      )}
      {window !== null && (
        <li>
          Window <span className="mono">{window.cron}</span> {window.timezone},{' '}
          {window.open ? 'open now' : 'closed now'}
        </li>
      )}
      {freezes.map((freeze) => (
        <li key={freeze.id}>
          Freeze until {formatInstant(freeze.endsAt)}: {freeze.reason}
        </li>
      ))}
      {hold !== null && <li className={styles.bad}>The release is on hold here: {hold}</li>}
    </ul>
  );
}
