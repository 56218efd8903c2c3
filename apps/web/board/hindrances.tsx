import { Button } from '@mantine/core';
import { IconHandStop, IconSnowflake } from '@tabler/icons-react';
import type { PromotionStand } from '#contracts';
import { Ago } from '../parts/time.tsx';
import { formatAbsolute } from '../parts/time-format.ts';
import { useLiftFreeze, useLiftHold } from '../promotion/actions.ts';
import { ReleaseName } from '../promotion/release-name.tsx';
import { useMay } from '../promotion/use-may.ts';
import styles from './board.module.css';

/** Releases on hold here, and freezes: in force, or to come. */
export function Hindrances({ stand: { environment, holds, freezes } }: { stand: PromotionStand }) {
  const may = useMay('configure', environment);
  const liftHold = useLiftHold(environment);
  const liftFreeze = useLiftFreeze(environment);
  const now = new Date().toISOString();
  return (
    <>
      {holds.map((hold) => (
        <div key={hold.release.digest} className={styles.hindrance} data-kind="hold" data-testid="hold">
          <p className={styles.hindranceHead}>
            <IconHandStop size={14} aria-hidden /> On hold
            {may && (
              <Button
                size="compact-xs"
                variant="default"
                loading={liftHold.isPending}
                onClick={() => liftHold.mutate(hold.release.digest)}
                aria-label={`Lift the hold on ${hold.release.alias}`}
              >
                Lift
              </Button>
            )}
          </p>
          <ReleaseName release={hold.release} />
          <p className={styles.hindranceWhy}>
            {hold.reason}{' '}
            <span className="dim">
              {hold.actor}, <Ago at={hold.at} />
            </span>
          </p>
        </div>
      ))}
      {freezes.map((freeze) => (
        <div key={freeze.id} className={styles.hindrance} data-kind="freeze" data-testid="freeze">
          <p className={styles.hindranceHead}>
            <IconSnowflake size={14} aria-hidden /> {freeze.startsAt <= now ? 'Frozen' : 'Freeze to come'}
            {may && (
              <Button
                size="compact-xs"
                variant="default"
                loading={liftFreeze.isPending}
                onClick={() => liftFreeze.mutate(freeze.id)}
                aria-label={`End the freeze of ${environment}`}
              >
                End
              </Button>
            )}
          </p>
          <p className={styles.hindranceWhy}>
            {freeze.reason}{' '}
            <span className="dim" title={`${formatAbsolute(freeze.startsAt)} to ${formatAbsolute(freeze.endsAt)}`}>
              {freeze.startsAt > now && (
                <>
                  begins <Ago at={freeze.startsAt} />,{' '}
                </>
              )}
              ends <Ago at={freeze.endsAt} />, {freeze.actor}
            </span>
          </p>
        </div>
      ))}
    </>
  );
}
