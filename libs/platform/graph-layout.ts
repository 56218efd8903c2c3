import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { layerGraph, NODE_SIZE, type GraphLayout, type GraphNode } from './layer-graph.ts';

/** ELK needs 2 s for 2,000 tasks and grows faster than linearly; beyond, and when it takes too long, layers will do. */
const ELK_MOST_TASKS = 1500;
const TIME_LIMIT_MS = 10_000;
/** Whoever asks waits this long for ELK; then layers will do this once, and ELK's answer is there for the next one. */
const PATIENCE_MS = 1500;
const LAYOUTS_KEPT = 500;

/**
 * Positions of a pipeline's tasks, layered left to right. ELK works in a thread of its own, one graph at a time, so that
 * neither requests nor the scheduler wait for it; results are kept by `key` (the pipeline's digest).
 */
export class GraphLayouts {
  readonly #kept = new Map<string, Promise<GraphLayout>>();
  #queue: Promise<unknown> = Promise.resolve();
  #worker: Worker | null = null;

  constructor(private readonly patienceMs: number = PATIENCE_MS) {}

  /** Never fails: a graph that ELK cannot do in time gets a plainer layout. */
  async layout(key: string, tasks: readonly GraphNode[]): Promise<GraphLayout> {
    let timer: NodeJS.Timeout | undefined;
    const plain = new Promise<GraphLayout>((resolve) => {
      timer = setTimeout(() => resolve(layerGraph(tasks)), this.patienceMs);
    });
    try {
      return await Promise.race([this.#exact(key, tasks), plain]);
    } finally {
      clearTimeout(timer);
    }
  }

  #exact(key: string, tasks: readonly GraphNode[]): Promise<GraphLayout> {
    const known = this.#kept.get(key);
    if (known) return known;
    const layout = this.#queue.then(() => this.#compute(tasks));
    this.#queue = layout;
    this.#kept.set(key, layout);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > LAYOUTS_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return layout;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #compute(tasks: readonly GraphNode[]): Promise<GraphLayout> {
    if (tasks.length === 0) return { width: 0, height: 0, nodes: [], groups: [], edges: [] };
    const laidOut = tasks.length > ELK_MOST_TASKS ? null : await this.#ask(toElk(tasks));
    return laidOut === null ? layerGraph(tasks) : fromElk(laidOut, tasks);
  }

  /** Null when ELK fails or takes too long. */
  #ask(graph: ElkGraph): Promise<ElkGraph | null> {
    const worker = (this.#worker ??= startWorker());
    return new Promise((resolve) => {
      const done = (result: ElkGraph | null) => {
        clearTimeout(timer);
        // Those of its own alone: without the listeners that Node keeps there no further message would arrive.
        worker.off('message', done).off('error', onError);
        if (result === null) {
          this.#worker = null;
          // A worker that failed or hangs is not used again; nobody waits for its end.
          worker.terminate().catch(() => undefined);
        } else worker.unref();
        resolve(result);
      };
      const onError = (): void => done(null);
      const timer = setTimeout(() => done(null), TIME_LIMIT_MS);
      worker.on('message', done).on('error', onError);
      worker.ref();
      worker.postMessage(graph);
    });
  }
}

/** ELK is loaded from node_modules by the thread itself, so that the same code runs from the source tree and from the bundle. */
function startWorker(): Worker {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const elk = new (require(workerData))();
    parentPort.on('message', (graph) => {
      elk.layout(graph).then((done) => parentPort.postMessage(done), () => parentPort.postMessage(null));
    });`;
  const elk = createRequire(import.meta.url).resolve('elkjs/lib/elk.bundled.js');
  return new Worker(source, { eval: true, workerData: elk, resourceLimits: { maxOldGenerationSizeMb: 512 } });
}

interface ElkPoint {
  x: number;
  y: number;
}
interface ElkNode {
  id: string;
  width?: number;
  height?: number;
  x?: number;
  y?: number;
  layoutOptions?: Record<string, string>;
  children?: ElkNode[];
}
interface ElkGraph extends ElkNode {
  children: ElkNode[];
  edges: {
    id: string;
    sources: string[];
    targets: string[];
    sections?: { startPoint: ElkPoint; endPoint: ElkPoint; bendPoints?: ElkPoint[] }[];
  }[];
}

function toElk(tasks: readonly GraphNode[]): ElkGraph {
  const known = new Set(tasks.map((task) => task.id));
  return {
    id: '.',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.layered.spacing.nodeNodeBetweenLayers': '64',
      'elk.spacing.nodeNode': '28',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.padding': '[top=16,left=16,bottom=16,right=16]',
      ...(tasks.some(({ group }) => group !== undefined) ? WITH_GROUPS : {}),
    },
    children: elkNodes(tasks),
    edges: tasks.flatMap(({ id, upstream }) =>
      upstream
        .filter((from) => known.has(from))
        .map((from) => ({ id: `${from}>${id}`, sources: [from], targets: [id] })),
    ),
  };
}

const WITH_GROUPS = {
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
};
/** No id of a task holds a blank. */
const GROUP_PREFIX = 'group ';

/** Tasks in the order of the file, those of a group within one node that stands where the first of them does. */
function elkNodes(tasks: readonly GraphNode[]): ElkNode[] {
  const nodes: ElkNode[] = [];
  const frames = new Map<string, ElkNode[]>();
  for (const { id, group } of tasks) {
    const node = { id, ...NODE_SIZE };
    const frame = group === undefined ? nodes : frames.get(group);
    if (frame !== undefined) frame.push(node);
    else if (group !== undefined) {
      const children = [node];
      frames.set(group, children);
      const layoutOptions = { 'elk.padding': '[top=34,left=16,bottom=16,right=16]' };
      nodes.push({ id: GROUP_PREFIX + group, layoutOptions, children });
    }
  }
  return nodes;
}

function fromElk(graph: ElkGraph, tasks: readonly GraphNode[]): GraphLayout {
  const byId = new Map(
    graph.children.flatMap((node) => [node, ...(node.children ?? [])]).map((node) => [node.id, node]),
  );
  const round = ({ x, y }: ElkPoint) => ({ x: Math.round(x), y: Math.round(y) });
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    nodes: tasks.map(({ id }) => {
      const node = byId.get(id);
      return { id, ...round({ x: node?.x ?? 0, y: node?.y ?? 0 }), ...NODE_SIZE };
    }),
    groups: graph.children.flatMap(({ id, x = 0, y = 0, width = 0, height = 0 }) =>
      id.startsWith(GROUP_PREFIX)
        ? [
            {
              id: id.slice(GROUP_PREFIX.length),
              ...round({ x, y }),
              width: Math.ceil(width),
              height: Math.ceil(height),
            },
          ]
        : [],
    ),
    edges: graph.edges.map(({ sources, targets, sections }) => ({
      from: sources[0] ?? '',
      to: targets[0] ?? '',
      points: (sections ?? []).flatMap((part) =>
        [part.startPoint, ...(part.bendPoints ?? []), part.endPoint].map(round),
      ),
    })),
  };
}
