import type { ReactNode } from 'react';
import styles from './tabs.module.css';

/** A row of links, each a view of the same thing. The link of the current one carries aria-current. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {children}
    </nav>
  );
}

/** For the router's Link: looks of a tab, and current when the page says so (its default tab is not in the address). */
export function tabProps(name: string, current: boolean) {
  const state = { 'aria-current': current ? ('page' as const) : undefined };
  return { className: styles.tab ?? '', activeProps: state, inactiveProps: state, 'data-testid': `tab-${name}` };
}

export function TabCount({ children, tone }: { children: ReactNode; tone?: 'bad' }) {
  return (
    <span className={styles.count} data-tone={tone}>
      {children}
    </span>
  );
}
