import { memo } from 'react';
import type { Node, NodeProps } from '@xyflow/react';
import type { GraphTask } from './task-node.tsx';
import styles from './graph.module.css';

export type GroupFrameNode = Node<
  {
    readonly group: NonNullable<GraphTask['group']>;
    /** Items; null: not known here. */ readonly items: number | null;
  },
  'group-frame'
>;

/** What stands around the tasks of a group; a second edge says that each of its items goes its own way. */
export const GroupFrame = memo(function GroupFrame({ data: { group, items } }: NodeProps<GroupFrameNode>) {
  return (
    <div className={styles.group} data-mapped={group.mapped} data-testid={`group-${group.id}`}>
      <span className={styles.groupName}>
        <span className="clip">{group.id}</span>
        {group.mapped && <span className={styles.kind}>×{items ?? 'n'}, each by itself</span>}
      </span>
    </div>
  );
});
