import type { AlertEvent } from '#core';

export interface EventLook {
  /** Shape and colour differ, so neither has to carry the meaning alone. */
  readonly icon: string;
  readonly word: string;
  readonly color: string;
}

export const EVENT_LOOKS: Readonly<Record<AlertEvent, EventLook>> = {
  'run.failed': { icon: '❌', word: 'failed', color: '#d6293e' },
  'run.late': { icon: '⏰', word: 'late', color: '#d9730d' },
  'task.retrying': { icon: '🔁', word: 'retrying', color: '#c19a00' },
  'task.approval': { icon: '✋', word: 'asks', color: '#1f6feb' },
  'check.warned': { icon: '⚠️', word: 'has data to look at', color: '#c19a00' },
  'run.recovered': { icon: '✅', word: 'recovered', color: '#1f883d' },
  'run.drifted': { icon: '≠', word: 'drifted', color: '#8250df' },
  'pipeline.paused': { icon: '⏸️', word: 'paused', color: '#d9730d' },
  'run.looping': { icon: '🔁', word: 'loop stopped', color: '#d9730d' },
  'promotion.waiting': { icon: '✋', word: 'waits for approval', color: '#1f6feb' },
  'promotion.approved': { icon: '👍', word: 'approved', color: '#1f6feb' },
  'promotion.switched': { icon: '🔀', word: 'being verified', color: '#1f6feb' },
  'promotion.verified': { icon: '✅', word: 'verified', color: '#1f883d' },
  'promotion.failed': { icon: '⛔', word: 'not promoted', color: '#d6293e' },
  'promotion.rolled_back': { icon: '↩️', word: 'rolled back', color: '#d9730d' },
};
