import { IconAlertTriangle } from '@tabler/icons-react';
import type { RunDetail } from '#contracts';
import styles from '../pages/run-facts.module.css';

/** Tasks that the run took over although its release has them otherwise. */
export function Outdated({ tasks }: { tasks: RunDetail['outdated'] }) {
  if (tasks === undefined) return null;
  return (
    <p className={styles.reason} data-tone="calm" data-testid="outdated">
      <IconAlertTriangle size={15} aria-hidden />
      <span>
        Taken over although they changed since:{' '}
        {tasks.map(({ taskId, why }, index) => (
          <span key={taskId}>
            {index > 0 && '; '}
            <span className="mono">{taskId}</span> ({why})
          </span>
        ))}
      </span>
    </p>
  );
}
