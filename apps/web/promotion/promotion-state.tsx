import {
  IconArrowBackUp,
  IconBan,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleMinus,
  IconClockPause,
  IconHandStop,
  IconHelpHexagon,
  IconLoader2,
  IconPlayerTrackNext,
  IconSquareXFilled,
  type Icon,
} from '@tabler/icons-react';
import type { GateState, PromotionState } from '#core';
import state from '../parts/state.module.css';
import { gateLook, promotionLook, type PromotionLook, type PromotionMark } from './promotion-look.ts';

const ICONS: Readonly<Record<PromotionMark, Icon>> = {
  queue: IconCircleDashed,
  work: IconLoader2,
  hand: IconHandStop,
  clock: IconClockPause,
  check: IconCircleCheckFilled,
  cross: IconSquareXFilled,
  back: IconArrowBackUp,
  slash: IconBan,
  question: IconHelpHexagon,
  skip: IconPlayerTrackNext,
  dash: IconCircleMinus,
};

/** Decoration: the state's name stands beside it. */
export function LookIcon({ look, size = 15 }: { look: PromotionLook; size?: number }) {
  const Shape = ICONS[look.mark];
  return (
    <span className={state.icon} style={{ color: `var(--s-${look.tone}-fg)` }} aria-hidden>
      <Shape size={size} stroke={2} className={look.mark === 'work' ? state.turning : undefined} />
    </span>
  );
}

/** Icon and name on a tint. */
export function PromotionBadge({ state: of, size = 'normal' }: { state: PromotionState; size?: 'normal' | 'large' }) {
  const look = promotionLook(of);
  return (
    <span
      className={state.badge}
      data-size={size}
      data-state={of}
      data-testid="state"
      style={{ color: `var(--s-${look.tone}-fg)`, background: `var(--s-${look.tone}-bg)` }}
    >
      <LookIcon look={look} size={size === 'large' ? 16 : 13} />
      {look.label}
    </span>
  );
}

export function GateIcon({ state: of, size = 15 }: { state: GateState; size?: number }) {
  return <LookIcon look={gateLook(of)} size={size} />;
}
