import type { Environment } from '#contracts';

/** What one environment runs, beside what the shown one runs. */
export interface ReleaseMark {
  readonly environment: string;
  readonly release: string | null;
  readonly dirty: boolean;
  readonly beside: 'shown' | 'same' | 'differs' | 'nothing';
  /** The branch or tag that decides it; null: no remote does. */
  readonly ref: string | null;
  /** Why the newest commit of that ref is not what runs; null: it is. */
  readonly problem: string | null;
}

/** One mark for each environment that a file declares, and for the shown one; previews come and go by the dozen. */
export function releaseMarks(environments: readonly Environment[], shown: string): ReleaseMark[] {
  const current = environments.find(({ name }) => name === shown)?.release ?? null;
  return environments
    .filter(({ name, preview }) => preview === null || name === shown)
    .map(({ name, release, dirty, follow }) => ({
      ...{ environment: name, release, dirty, beside: besideOf(name, release) },
      ...{ ref: follow?.ref ?? null, problem: follow?.problem ?? null },
    }));

  function besideOf(name: string, release: string | null): ReleaseMark['beside'] {
    if (name === shown) return 'shown';
    if (release === null) return 'nothing';
    return release === current ? 'same' : 'differs';
  }
}
