import {
  IconArrowUpCircle,
  IconBan,
  IconCircleCheckFilled,
  IconCopyCheck,
  IconCircleDashed,
  IconCircleDotted,
  IconCircleMinus,
  IconClockX,
  IconDots,
  IconHourglass,
  IconLoader2,
  IconPlugConnectedX,
  IconRotateClockwise,
  IconSquareXFilled,
  type Icon,
} from '@tabler/icons-react';
import { lookOf, type AnyState, type Mark } from './state-look.ts';
import styles from './state.module.css';

const ICONS: Readonly<Record<Mark, Icon>> = {
  check: IconCircleCheckFilled,
  cross: IconSquareXFilled,
  play: IconLoader2,
  ring: IconCircleDotted,
  dots: IconDots,
  turn: IconRotateClockwise,
  bars: IconHourglass,
  dash: IconCircleMinus,
  up: IconArrowUpCircle,
  slash: IconBan,
  gap: IconPlugConnectedX,
  clock: IconClockX,
  again: IconCopyCheck,
  none: IconCircleDashed,
};

/** Decoration: put the state's name beside it, or pass `title` when it stands alone. */
export function StateIcon({ state, size = 15, title }: { state: AnyState; size?: number; title?: string }) {
  const look = lookOf(state);
  const Shape = ICONS[look.mark];
  return (
    <span
      className={styles.icon}
      style={{ color: `var(--s-${look.tone}-fg)` }}
      {...(title === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': title, title })}
    >
      <Shape size={size} stroke={2} className={state === 'running' ? styles.turning : undefined} />
    </span>
  );
}

/** Icon and name on a tint. */
export function StateBadge({ state, size = 'normal' }: { state: AnyState; size?: 'normal' | 'large' }) {
  const look = lookOf(state);
  return (
    <span
      className={styles.badge}
      data-size={size}
      data-state={state}
      data-testid="state"
      style={{ color: `var(--s-${look.tone}-fg)`, background: `var(--s-${look.tone}-bg)` }}
    >
      <StateIcon state={state} size={size === 'large' ? 16 : 13} />
      {look.label}
    </span>
  );
}
