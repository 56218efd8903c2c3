import { RUN_STATES, TASK_STATES } from '#core';
import { lookOf } from '../parts/state-look.ts';
import type { Ink } from './draw-mark.ts';

/** The page's colours for canvases, which cannot read CSS variables themselves. */
export interface Inks {
  readonly tones: Readonly<Record<string, Ink>>;
  readonly paper: string;
  readonly accent: string;
  readonly faint: string;
  /** Behind the tasks of a group. */
  readonly band: string;
  readonly font: string;
  readonly mono: string;
}

/** Call again when the colour scheme changes; the argument only says so. */
export function readInks(_scheme: 'light' | 'dark'): Inks {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const tones: Record<string, Ink> = {};
  for (const state of [...TASK_STATES, ...RUN_STATES]) {
    const { tone } = lookOf(state);
    tones[tone] = { solid: of(`--s-${tone}`), strong: of(`--s-${tone}-fg`), tint: of(`--s-${tone}-bg`) };
  }
  return {
    tones,
    paper: of('--surface'),
    accent: of('--accent-fg'),
    faint: of('--text-3'),
    band: of('--sunken'),
    font: of('--font'),
    mono: of('--mono'),
  };
}

const NO_INK: Ink = { solid: '#888', strong: '#888', tint: 'transparent' };

export function inkOf(inks: Inks, tone: string): Ink {
  return inks.tones[tone] ?? NO_INK;
}
