import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { IconArrowRight, IconPackage } from '@tabler/icons-react';
import type { PromotionStand, Release } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Ago } from '../parts/time.tsx';
import { CommitLine, ReleaseName } from '../promotion/release-name.tsx';
import { useMay } from '../promotion/use-may.ts';
import styles from './board.module.css';

const SHOWN = 5;

interface NewReleasesProps {
  readonly releases: readonly Release[];
  readonly pending: boolean;
  readonly stands: readonly PromotionStand[];
}

/** What was built from commits and may go on its way. */
export function NewReleases({ releases, pending, stands }: NewReleasesProps) {
  const first = stands[0]?.environment;
  return (
    <section className={styles.column} aria-label="Newest releases" data-testid="new-releases">
      <header className={styles.head}>
        <span className={styles.headIcon} aria-hidden>
          <IconPackage size={17} stroke={1.7} />
        </span>
        <h2 className={styles.name}>Releases</h2>
        <Link to="/releases" className={`link ${styles.headMore}`}>
          All releases
        </Link>
      </header>
      <div className={styles.stack}>
        {releases.length === 0 && !pending && (
          <p className={styles.empty}>
            No release of a commit yet. <code>sluice release create</code> makes one, and so does your CI.
          </p>
        )}
        {releases.slice(0, SHOWN).map((release) => (
          <article key={release.digest} className={styles.card} data-testid={`candidate-${release.alias}`}>
            <div className={styles.cardRow}>
              <ReleaseName release={release} strong />
              <span className={styles.age}>
                <Ago at={release.createdAt} />
              </span>
            </div>
            <CommitLine release={release} />
            <div className={styles.cardFoot}>
              <span className={styles.where}>
                {release.environments.length === 0 && <span className="dim">runs nowhere yet</span>}
                {release.environments.map((name) => (
                  <span key={name} className={styles.whereOne} title={`Runs in ${name}`}>
                    <EnvironmentMark env={name} size={17} /> {name}
                  </span>
                ))}
              </span>
              {first !== undefined && <PromoteButton release={release} to={first} name="Promote" plain />}
            </div>
          </article>
        ))}
      </div>
    </section>
  );
}

interface PromoteButtonProps {
  readonly release: { readonly digest: string; readonly alias: string };
  readonly to: string;
  readonly name: string;
  readonly plain?: boolean;
}

/** Opens the plan: nothing is asked for yet. */
export function PromoteButton({ release, to, name, plain = false }: PromoteButtonProps) {
  const may = useMay('promote', to);
  return (
    <Button
      size="compact-xs"
      variant={plain ? 'default' : 'light'}
      rightSection={<IconArrowRight size={13} />}
      renderRoot={(props: Record<string, unknown>) => (
        <Link to="/environments" search={{ plan: release.digest, to }} {...props} />
      )}
      aria-label={`${name}: ${release.alias}`}
      title={may ? undefined : `You may look at the plan. To promote to ${to} you have no right.`}
      data-testid={`promote-${release.alias}-${to}`}
    >
      {name}
    </Button>
  );
}
