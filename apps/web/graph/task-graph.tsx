import { useMemo } from 'react';
import { Background, BackgroundVariant, BaseEdge, Controls, ReactFlow, type Edge, type EdgeProps } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import type { TaskState } from '#core';
import type { PipelineDetail } from '#contracts';
import { edgePath, type Point } from './edge-path.ts';
import { GroupFrame, type GroupFrameNode } from './group-frame.tsx';
import { TaskNode, type GraphTask, type TaskGraphNode } from './task-node.tsx';
import styles from './graph.module.css';

interface TaskGraphProps {
  readonly tasks: PipelineDetail['tasks'];
  readonly layout: PipelineDetail['layout'];
  /** States of each task's task runs, worst first; absent: the graph of the pipeline itself. */
  readonly states?: ReadonlyMap<string, readonly (readonly [TaskState, number])[]>;
  readonly onOpen: (task: GraphTask) => void;
}

type PointsEdge = Edge<{ points: readonly Point[] }, 'points'>;
const nodeTypes = { task: TaskNode, 'group-frame': GroupFrame };
const edgeTypes = { points: PointsEdgeLine };

/** Coordinates come from the server, laid out once per release; nothing is computed or draggable here. */
export function TaskGraph({ tasks, layout, states, onOpen }: TaskGraphProps) {
  const nodes = useMemo<(TaskGraphNode | GroupFrameNode)[]>(() => {
    const byId = new Map(tasks.map((task) => [task.id, task]));
    const taskNodes = layout.nodes.flatMap(({ id, x, y, width, height }) => {
      const task = byId.get(id);
      if (task === undefined) return [];
      return {
        id,
        type: 'task' as const,
        position: { x, y },
        width,
        height,
        focusable: false,
        data: { task, states: states?.get(id) ?? null, onOpen },
      };
    });
    return [...framesOf(tasks, layout, states), ...taskNodes];
  }, [tasks, layout, states, onOpen]);
  const edges = useMemo<PointsEdge[]>(
    () =>
      layout.edges.map(({ from, to, points }) => ({
        id: `${from} ${to}`,
        source: from,
        target: to,
        type: 'points',
        focusable: false,
        animated: states?.get(to)?.some(([state]) => state === 'running') ?? false,
        data: { points },
      })),
    [layout, states],
  );
  return (
    <div className={styles.frame} style={{ height: frameHeight(layout.height) }} data-testid="graph">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        fitView
        fitViewOptions={{ padding: 0.12, maxZoom: 1.15, minZoom: 0.3 }}
        minZoom={0.08}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        onlyRenderVisibleElements={nodes.length > 150}
        zoomOnScroll={false}
        preventScrolling={false}
        panOnScroll={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} color="var(--line-strong)" />
        <Controls showInteractive={false} className={styles.controls ?? ''} />
      </ReactFlow>
    </div>
  );
}

/** Behind the tasks, and in the way of none. */
function framesOf(
  tasks: TaskGraphProps['tasks'],
  layout: TaskGraphProps['layout'],
  states: TaskGraphProps['states'],
): GroupFrameNode[] {
  return layout.groups.flatMap(({ id, x, y, width, height }) => {
    const members = tasks.filter(({ group }) => group?.id === id);
    const group = members[0]?.group ?? null;
    if (group === null) return [];
    const counts = members.map((task) => (states?.get(task.id) ?? []).reduce((sum, [, number]) => sum + number, 0));
    const items = states === undefined ? null : Math.max(...counts);
    const place = { position: { x, y }, width, height, zIndex: -1 };
    return { id: `group ${id}`, type: 'group-frame' as const, ...place, focusable: false, data: { group, items } };
  });
}

function frameHeight(height: number): number {
  return Math.max(300, Math.min(height * 1.2 + 120, window.innerHeight - 300));
}

function PointsEdgeLine({ data, sourceX, sourceY, targetX, targetY, markerEnd }: EdgeProps<PointsEdge>) {
  const points = data?.points ?? [];
  const known =
    points.length >= 2
      ? points
      : [
          { x: sourceX, y: sourceY },
          { x: targetX, y: targetY },
        ];
  return <BaseEdge path={edgePath(known)} {...(markerEnd === undefined ? {} : { markerEnd })} />;
}
