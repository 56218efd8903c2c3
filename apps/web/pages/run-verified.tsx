import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconEqual, IconEqualNot, IconHelpCircle, IconLoader, type Icon } from '@tabler/icons-react';
import type { RunDetail, VerificationShape } from '#contracts';
import { Ago } from '../parts/time.tsx';
import { verificationQuery } from '../queries.ts';
import styles from './run-verified.module.css';

const LOOKS: Readonly<Record<NonNullable<VerificationShape['verdict']>, readonly [Icon, string]>> = {
  reproducible: [IconEqual, 'reproducible'],
  drifted: [IconEqualNot, 'drifted'],
  not_comparable: [IconHelpCircle, 'not comparable'],
};
/** More of them are told by the command line. */
const MOST_SHOWN = 8;

/** What came out when the run was executed again; nothing for a run that never was. */
export function RunVerified({ run }: { run: RunDetail }) {
  const { data } = useQuery({ ...verificationQuery(run.id), enabled: run.state === 'success' && !run.shadow });
  const found = data?.verification ?? null;
  if (found === null) return null;
  const [Shape, word] = found.verdict === null ? ([IconLoader, 'being executed again'] as const) : LOOKS[found.verdict];
  const files = found.drifts.slice(0, MOST_SHOWN);
  return (
    <section
      className={styles.verified}
      data-verdict={found.verdict ?? 'open'}
      data-testid="verified"
      aria-live="polite"
    >
      <Shape size={16} aria-hidden />
      <div>
        <strong>Verified: {word}</strong>
        {found.detail !== null && <> · {found.detail}</>}
        {files.length > 0 && (
          <ul className={styles.files}>
            {files.map((one) => (
              <li key={`${one.taskId} ${one.mapIndex} ${one.output} ${one.file}`} className="mono">
                {one.taskId}
                {one.mapKey !== '' && `[${one.mapKey}]`} {one.output}/{one.file}{' '}
                <span className="dim">{one.change}</span>
              </li>
            ))}
            {found.drifted > files.length && <li className="dim">and {found.drifted - files.length} more</li>}
          </ul>
        )}
        <p className="dim">
          {found.sampled ? 'Chosen by chance' : `Asked by ${found.actor}`} <Ago at={found.requestedAt} />
          {found.shadowRunId !== null && (
            <>
              {', in '}
              <Link to="/runs/$run" params={{ run: found.shadowRunId }} className="link num">
                run {found.shadowRunId}
              </Link>
            </>
          )}
        </p>
      </div>
    </section>
  );
}
