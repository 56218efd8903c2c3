import { IconPencilCheck } from '@tabler/icons-react';
import type { MarkSaid } from '#contracts';
import { Ago } from '../parts/time.tsx';
import styles from '../pages/run-facts.module.css';

/** What somebody said that a run or task run counts as. */
export function Marked({ mark }: { mark: MarkSaid | undefined }) {
  if (mark === undefined) return null;
  return (
    <p className={styles.reason} data-tone="calm" data-testid="marked">
      <IconPencilCheck size={15} aria-hidden />
      <span>
        {markedText(mark)} · <Ago at={mark.at} />
      </span>
    </p>
  );
}

export function markedText({ as, by, reason }: MarkSaid): string {
  return `Marked ${as} by ${by}: ${reason}`;
}
