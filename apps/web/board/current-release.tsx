import { IconCircleCheck, IconPencil } from '@tabler/icons-react';
import type { PromotionStand } from '#contracts';
import { Ago } from '../parts/time.tsx';
import { CommitLine, ReleaseName } from '../promotion/release-name.tsx';
import { PromoteButton } from './new-releases.tsx';
import styles from './board.module.css';

interface CurrentReleaseProps {
  readonly stand: PromotionStand;
  readonly dirty: boolean;
  readonly next: readonly string[];
}

/** What an environment runs, and where that may go next. */
export function CurrentRelease({ stand, dirty, next }: CurrentReleaseProps) {
  const { current, verified, environment } = stand;
  if (current === null)
    return (
      <article className={styles.card} data-empty>
        <p className={styles.cardTitle}>Runs nothing yet</p>
        <p className="dim">The first release that is promoted to {environment} is what it runs from then on.</p>
      </article>
    );
  const isVerified = verified?.digest === current.digest;
  // Files that are in no commit go no further; what was verified here last still may.
  const candidate = current.commit !== null ? current : verified;
  return (
    <>
      <article className={styles.card} data-current data-testid="current">
        <p className={styles.cardTitle}>
          Runs now
          <span className={styles.age}>
            since <Ago at={current.since} />
          </span>
        </p>
        <div className={styles.cardRow}>
          <ReleaseName release={current} strong />
          {isVerified && (
            <span className={styles.verified}>
              <IconCircleCheck size={14} aria-hidden /> verified
            </span>
          )}
          {dirty && (
            <span className={styles.dirty} title="It holds files that are not committed">
              <IconPencil size={13} aria-hidden /> not committed
            </span>
          )}
        </div>
        <CommitLine release={current} />
        {candidate === current && <Onward release={current} next={next} />}
      </article>
      {candidate !== null && candidate !== current && (
        <article className={styles.card} data-testid="verified">
          <p className={styles.cardTitle}>
            Verified last
            <span className={styles.verified}>
              <IconCircleCheck size={14} aria-hidden /> verified
            </span>
          </p>
          <ReleaseName release={candidate} strong />
          <CommitLine release={candidate} />
          <Onward release={candidate} next={next} />
        </article>
      )}
    </>
  );
}

function Onward({ release, next }: { release: { digest: string; alias: string }; next: readonly string[] }) {
  if (next.length === 0) return null;
  return (
    <div className={styles.onward}>
      {next.map((name) => (
        <PromoteButton key={name} release={release} to={name} name={`Promote to ${name}`} />
      ))}
    </div>
  );
}
