import { Modal } from '@mantine/core';
import { RUN_STATES, TASK_STATES } from '#core';
import { StateBadge } from './state-icon.tsx';
import styles from './help-dialog.module.css';

const KEYS: readonly [string, readonly [string, string][]][] = [
  [
    'Everywhere',
    [
      ['Ctrl K / ⌘K', 'search pipelines, runs, pages, actions'],
      ['/', 'filter'],
      ['g t', 'Today'],
      ['g p', 'Pipelines'],
      ['g r', 'Runs'],
      ['g e', 'Environments'],
      ['g l', 'Releases'],
      ['g u', 'Audit'],
      ['g a', 'Alerts'],
      ['g s', 'System'],
      ['?', 'this help'],
      ['Esc', 'close, clear'],
    ],
  ],
  [
    'Pipeline grid',
    [
      ['h j k l / arrows', 'move'],
      ['[ ]', 'run before, run after'],
      ['Enter', 'open the task, or the run on the top row'],
      ['t', 'trigger a run'],
    ],
  ],
  [
    'Run',
    [
      ['1 … 5', 'tabs'],
      ['[ ]', 'run before, run after'],
      ['r', 'rerun failed'],
    ],
  ],
  [
    'Log',
    [
      ['f', 'full page'],
      ['w', 'wrap lines'],
      ['s', 'show times'],
      ['n N', 'next, previous match'],
      ['G', 'to the end, follow'],
      ['click, shift click', 'link to a line, to a range'],
    ],
  ],
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  const states = [...new Set([...RUN_STATES, ...TASK_STATES])];
  return (
    <Modal opened onClose={onClose} title="Keyboard and marks" size={780} closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className={styles.columns} data-testid="help">
        {KEYS.map(([title, rows]) => (
          <section key={title}>
            <h2 className={styles.title}>{title}</h2>
            <dl className={styles.keys}>
              {rows.map(([key, does]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <h2 className={styles.title}>States</h2>
      <ul className={styles.states}>
        {states.map((state) => (
          <li key={state}>
            <StateBadge state={state} />
          </li>
        ))}
      </ul>
    </Modal>
  );
}
