import type { CSSProperties } from 'react';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import type { GridData } from './decode-grid.ts';
import type { GridRow } from './grid-rows.ts';
import type { GridShape } from './grid-shape.ts';
import styles from './grid.module.css';

interface GridLabelsProps {
  readonly grid: GridData;
  /** Those in sight, the first of them being number `first`. */
  readonly rows: readonly GridRow[];
  readonly first: number;
  readonly shape: GridShape;
  readonly top: number;
  readonly isOn: (row: number) => boolean;
  readonly onToggle: (group: string) => void;
}

/** Names of rows. Those of tasks are told by the mirror; those of groups open and close them. */
export function GridLabels({ grid, rows, first, shape, top, isOn, onToggle }: GridLabelsProps) {
  return rows.map((row, index) => {
    const style = { top: (first + index) * shape.rowHeight - top, height: shape.rowHeight };
    const on = isOn(first + index) || undefined;
    if (row.kind === 'group')
      return <GroupLabel key={`group ${row.group}`} row={row} style={style} on={on} onToggle={onToggle} />;
    const task = grid.tasks[row.task];
    if (task === undefined) return null;
    return (
      <span
        key={task.id}
        className={styles.label}
        data-on={on}
        data-group={row.group === null ? undefined : true}
        style={style}
        title={task.id}
        aria-hidden
      >
        <span className="clip">{task.id}</span>
        {task.mapped && <span className={styles.kind}>fan-out</span>}
        {task.final && <span className={styles.kind}>finally</span>}
      </span>
    );
  });
}

interface GroupLabelProps {
  readonly row: Extract<GridRow, { kind: 'group' }>;
  readonly style: CSSProperties;
  readonly on: true | undefined;
  readonly onToggle: (group: string) => void;
}

function GroupLabel({ row: { group, tasks, isClosed }, style, on, onToggle }: GroupLabelProps) {
  const Chevron = isClosed ? IconChevronRight : IconChevronDown;
  return (
    <button
      type="button"
      className={`${styles.label} ${styles.group}`}
      data-on={on}
      data-group
      style={style}
      aria-expanded={!isClosed}
      aria-label={`Group ${group}, ${tasks.length} tasks`}
      onClick={() => onToggle(group)}
      data-testid="grid-group"
    >
      <Chevron size={14} aria-hidden />
      <span className="clip">{group}</span>
      <span className={styles.kind}>{tasks.length} tasks</span>
    </button>
  );
}
