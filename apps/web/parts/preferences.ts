import { useSyncExternalStore } from 'react';

/** Choices of this reader on this machine; nothing that belongs in a link or in git. */
type Key = 'absolute-times' | 'log-wrap' | 'log-times' | 'environment';

const listeners = new Set<() => void>();
const memory = new Map<Key, string>();

export function readPreference(key: Key): string | null {
  try {
    return localStorage.getItem(`sluice-${key}`);
  } catch {
    return memory.get(key) ?? null; // storage switched off: kept until the tab closes
  }
}

export function writePreference(key: Key, value: string): void {
  memory.set(key, value);
  try {
    localStorage.setItem(`sluice-${key}`, value);
  } catch {
    // kept in memory, see above
  }
  for (const listener of listeners) listener();
}

export function usePreference(key: Key): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => readPreference(key),
  );
}

export function useAbsoluteTimes(): boolean {
  return usePreference('absolute-times') === 'yes';
}
