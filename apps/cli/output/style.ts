import picocolors from 'picocolors';
import type { Io, Sink } from '../io.ts';

export type Style = ReturnType<typeof picocolors.createColors>;

/** For text that goes into files and lines of progress. */
export const PLAIN: Style = picocolors.createColors(false);

/** Colours for one stream: NO_COLOR and TERM=dumb switch them off, FORCE_COLOR on, otherwise a terminal decides. */
export function styleFor(io: Io, sink: Sink): Style {
  return picocolors.createColors(hasColour(io, sink));
}

export function hasColour({ env }: Pick<Io, 'env'>, sink: Pick<Sink, 'isTTY'>): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return sink.isTTY && env.TERM !== 'dumb';
}

/** Whether lines already printed may be overwritten: only on a terminal that can, and never in CI. */
export function mayRedraw({ env }: Pick<Io, 'env'>, sink: Pick<Sink, 'isTTY'>): boolean {
  return sink.isTTY && env.TERM !== 'dumb' && !env.CI;
}
