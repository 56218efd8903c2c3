import { useEffect, useRef } from 'react';

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const SEQUENCE_MS = 1200;
const pressed = { key: '', at: 0 };
let before = { key: '', at: 0 };

/** The keys of a screen: `j`, `ArrowDown`, `?`, or two in a row: `g p`. Silent while somebody types or a dialog is open. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return;
      const action = latest.current[nameOf(event)];
      if (action === undefined) return;
      event.preventDefault();
      action(event);
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}

/** Notes every key before any screen sees it, so that `g p` means the same to all of them. Installed once, by the shell. */
export function watchSequences(): () => void {
  const listener = (event: KeyboardEvent) => {
    before = { ...pressed };
    Object.assign(pressed, { key: isBusy(event) ? '' : event.key, at: event.timeStamp });
  };
  window.addEventListener('keydown', listener, true);
  return () => window.removeEventListener('keydown', listener, true);
}

function nameOf(event: KeyboardEvent): string {
  return before.key === 'g' && event.timeStamp - before.at < SEQUENCE_MS ? `g ${event.key}` : event.key;
}

function isBusy(event: KeyboardEvent): boolean {
  const target = event.target;
  if (target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable="true"]')) return true;
  return document.querySelector('[role="dialog"][aria-modal="true"]') !== null;
}
