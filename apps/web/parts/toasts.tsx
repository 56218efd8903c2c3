import { useSyncExternalStore } from 'react';
import { Notification } from '@mantine/core';
import { ApiError } from '../api.ts';
import { Coded } from './notice.tsx';
import styles from './toasts.module.css';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly title: string;
  readonly text: string;
}

const SHOW_MS = { good: 4000, bad: 12_000 };
let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

/** A short word on what an action did. */
export function tell(title: string, text = ''): void {
  add({ tone: 'good', title, text });
}

/** What an action was refused for, with the server's hint. */
export function tellError(title: string, error: unknown): void {
  const hint = error instanceof ApiError && error.hint !== undefined ? ` ${error.hint}` : '';
  add({ tone: 'bad', title, text: `${error instanceof Error ? error.message : String(error)}${hint}` });
}

function add(toast: Omit<Toast, 'id'>): void {
  const id = nextId++;
  set([...toasts.slice(-3), { ...toast, id }]);
  setTimeout(() => close(id), SHOW_MS[toast.tone]);
}

function close(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className={styles.stack} aria-live="polite" role="status" data-testid="toasts">
      {shown.map((one) => (
        <Notification
          key={one.id}
          title={one.title}
          color={one.tone === 'bad' ? 'orange' : 'teal'}
          withBorder
          classNames={{ description: styles.text }}
          onClose={() => close(one.id)}
          closeButtonProps={{ 'aria-label': 'Close' }}
          data-tone={one.tone}
        >
          <Coded text={one.text} />
        </Notification>
      ))}
    </div>
  );
}
