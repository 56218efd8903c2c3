import { memo } from 'react';
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import {
  IconArrowForwardUp,
  IconBrandNodejs,
  IconBrandPython,
  IconNotebook,
  IconDatabase,
  IconFlame,
  IconHourglass,
  IconPlug,
  IconTerminal2,
  IconUserCheck,
  IconWorld,
  type Icon,
} from '@tabler/icons-react';
import type { TaskState } from '#core';
import type { PipelineDetail } from '#contracts';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import styles from './graph.module.css';

export type GraphTask = PipelineDetail['tasks'][number];

export interface TaskNodeData extends Record<string, unknown> {
  readonly task: GraphTask;
  /** How many task runs are in which state; null on the pipeline's own page. */
  readonly states: readonly (readonly [TaskState, number])[] | null;
  readonly onOpen: (task: GraphTask) => void;
}
export type TaskGraphNode = Node<TaskNodeData, 'task'>;

const KINDS: Readonly<Record<GraphTask['kind'], readonly [Icon, string]>> = {
  run: [IconTerminal2, 'shell'],
  node: [IconBrandNodejs, 'node'],
  python: [IconBrandPython, 'python'],
  notebook: [IconNotebook, 'notebook'],
  spark: [IconFlame, 'spark'],
  sql: [IconDatabase, 'sql'],
  http: [IconWorld, 'http'],
  wait: [IconHourglass, 'waits'],
  approve: [IconUserCheck, 'asks a person'],
  call: [IconArrowForwardUp, 'calls a pipeline'],
  uses: [IconPlug, 'plugin'],
};

export const TaskNode = memo(function TaskNode({ data }: NodeProps<TaskGraphNode>) {
  const { task, states, onOpen } = data;
  const [KindIcon, kind] = KINDS[task.kind];
  const worst = states?.[0]?.[0];
  return (
    <button
      type="button"
      className={styles.node}
      onClick={() => onOpen(task)}
      data-state={worst}
      data-testid={`node-${task.id}`}
      style={
        worst === undefined || worst === 'none'
          ? undefined
          : { borderColor: `var(--s-${lookOf(worst).tone})`, background: `var(--s-${lookOf(worst).tone}-bg)` }
      }
    >
      <Handle type="target" position={Position.Left} isConnectable={false} className={styles.handle} />
      <span className={styles.name}>
        {worst === undefined ? <KindIcon size={16} stroke={1.6} aria-hidden /> : <StateIcon state={worst} size={16} />}
        <span className="clip">{task.id}</span>
        {task.mapped && <span className={styles.kind}>×{count(states) ?? 'n'}</span>}
      </span>
      <span className={styles.about}>
        {states === null || states.length === 0
          ? [
              kind,
              ...(task.writes.length > 0 ? [`writes ${task.writes.join(', ')}`] : []),
              ...(task.final ? ['finally'] : []),
              ...(task.when === 'all_success' ? [] : [task.when]),
            ].join(' · ')
          : states.map(([state, number]) => (number > 1 ? `${number} ` : '') + lookOf(state).label).join(', ')}
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} className={styles.handle} />
    </button>
  );
});

function count(states: TaskNodeData['states']): number | null {
  return states === null ? null : states.reduce((sum, [, number]) => sum + number, 0);
}
