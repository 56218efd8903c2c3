import { useState, type ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import {
  IconAlertTriangle,
  IconClock,
  IconGitBranch,
  IconPlayerPause,
  IconShieldCheck,
  IconSnowflake,
} from '@tabler/icons-react';
import type { Environment, PromotionStand } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { gateRest, gateTitle } from '../promotion/promotion-look.ts';
import { ColumnMenu } from './column-menu.tsx';
import { Drift } from './drift.tsx';
import { Previews } from './previews.tsx';
import { CurrentRelease } from './current-release.tsx';
import { Hindrances } from './hindrances.tsx';
import { OpenPromotion } from './open-promotion.tsx';
import { StandDialog, type StandAct } from './stand-dialog.tsx';
import styles from './board.module.css';

interface BoardColumnProps {
  readonly stand: PromotionStand;
  readonly environment: Environment | undefined;
  readonly previews: readonly Environment[];
  /** Environments that take releases from this one. */
  readonly next: readonly string[];
}

/** One environment: what comes, what runs, what stands in the way. */
export function BoardColumn({ stand, environment, previews, next }: BoardColumnProps) {
  const [act, setAct] = useState<StandAct | null>(null);
  const name = stand.environment;
  return (
    <section className={styles.column} aria-label={name} data-testid={`column-${name}`}>
      <header className={styles.head}>
        <EnvironmentMark env={name} size={24} />
        <h2 className={styles.name}>{name}</h2>
        <ColumnMenu stand={stand} onAct={setAct} />
      </header>
      <Badges stand={stand} environment={environment} />
      <div className={styles.stack}>
        {stand.open.map((promotion) => (
          <OpenPromotion key={promotion.id} promotion={promotion} />
        ))}
        <CurrentRelease stand={stand} dirty={environment?.dirty ?? false} next={next} />
        <Hindrances stand={stand} />
        <Drift env={name} />
        <Previews previews={previews} />
        {stand.open.length === 0 && <Demands stand={stand} />}
      </div>
      {act !== null && <StandDialog act={act} stand={stand} onClose={() => setAct(null)} />}
    </section>
  );
}

function Badges({ stand, environment }: Pick<BoardColumnProps, 'stand' | 'environment'>) {
  const { freezes, window, followed } = stand;
  const now = new Date().toISOString();
  const frozen = freezes.some(({ startsAt }) => startsAt <= now);
  const problems = environment?.problems.length ?? 0;
  return (
    <p className={styles.badges}>
      {followed && <Followed follow={environment?.follow ?? null} />}
      {environment?.schedules === 'paused' && (
        <Badge icon={<IconPlayerPause size={13} aria-hidden />} title="Nothing fires by itself">
          schedules paused
        </Badge>
      )}
      {window !== null && (
        <Badge
          icon={<IconClock size={13} aria-hidden />}
          tone={window.open ? undefined : 'wait'}
          title={`Switches happen in minutes that match ${window.cron} ${window.timezone}`}
        >
          window {window.open ? 'open' : 'closed'}
        </Badge>
      )}
      {frozen && (
        <Badge icon={<IconSnowflake size={13} aria-hidden />} tone="cold" title="Nothing is switched meanwhile">
          frozen
        </Badge>
      )}
      {problems > 0 && (
        <Badge icon={<IconAlertTriangle size={13} aria-hidden />} tone="bad" title="The newest files are not what runs">
          <Link to="/" search={{ env: stand.environment }} className="link">
            {problems} {problems === 1 ? 'problem' : 'problems'}
          </Link>
        </Badge>
      )}
    </p>
  );
}

/** What decides the release here, instead of promotions. */
function Followed({ follow }: { follow: Environment['follow'] }) {
  if (follow === null)
    return (
      <Badge icon={<IconGitBranch size={13} aria-hidden />} title="What runs here follows files, not promotions">
        follows the working tree
      </Badge>
    );
  const { remote, ref, problem } = follow;
  return (
    <>
      <Badge icon={<IconGitBranch size={13} aria-hidden />} title={`What runs here follows ${remote}#${ref}`}>
        follows{' '}
        {remote
          .split('/')
          .at(-1)
          ?.replace(/\.git$/, '')}
        #{ref}
      </Badge>
      {problem !== null && (
        <Badge icon={<IconAlertTriangle size={13} aria-hidden />} tone="bad" title={problem}>
          <span className="clip">{problem}</span>
        </Badge>
      )}
    </>
  );
}

interface BadgeProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly tone?: 'wait' | 'cold' | 'bad' | undefined;
  readonly children: ReactNode;
}

function Badge({ icon, title, tone, children }: BadgeProps) {
  return (
    <span className={styles.badge} data-tone={tone} title={title}>
      {icon} {children}
    </span>
  );
}

/** What a release has to pass to come here. */
function Demands({ stand: { gates, approvals, from } }: { stand: PromotionStand }) {
  const asked = gates.filter(({ kind }) => kind !== 'validate');
  return (
    <div className={styles.demands}>
      <p className={styles.demandsTitle}>
        <IconShieldCheck size={14} aria-hidden /> To come here
      </p>
      <ul>
        <li>valid here: secrets and pools exist</li>
        {from.length > 0 && <li>verified in {from.join(' and ')}</li>}
        {asked
          .filter(({ kind }) => kind !== 'provenance')
          .map((gate) => (
            <li key={gate.name}>
              {gateTitle(gate.kind).toLowerCase()} <span className="mono">{gateRest(gate)}</span>
            </li>
          ))}
        {approvals > 0 && (
          <li>
            {approvals} {approvals === 1 ? 'approval' : 'approvals'}
          </li>
        )}
      </ul>
    </div>
  );
}
