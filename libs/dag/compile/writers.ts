import type { PathDeclaration } from '#core';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { mayOverlap } from './locations.ts';
import type { TaskNode } from './task-node.ts';

/** Which task writes each path. Reports paths with two writers, also through overlapping locations. */
export function findWriters(
  nodes: readonly TaskNode[],
  paths: Readonly<Record<string, PathDeclaration>>,
  pipeline: string,
  compiling: Compiling,
): ReadonlyMap<string, TaskNode> {
  const writers = new Map<string, TaskNode>();
  for (const node of nodes) {
    for (const path of node.writes) {
      const other = writers.get(path);
      if (other === undefined) writers.set(path, node);
      else {
        const message = `Path ${quote(path)} is written by task ${quote(other.id)} and by task ${quote(node.id)}.`;
        compiling.at(writePlace(node, path), message, 'A path has one writer: give one of them a path of its own.');
      }
    }
  }
  reportOverlaps(writers, paths, pipeline, compiling);
  return writers;
}

function reportOverlaps(
  writers: ReadonlyMap<string, TaskNode>,
  paths: Readonly<Record<string, PathDeclaration>>,
  pipeline: string,
  compiling: Compiling,
): void {
  const written = [...writers].map(([path, node]) => ({ path, node, at: fullLocation(paths[path], pipeline) }));
  for (const [index, one] of written.entries()) {
    const other = written.slice(0, index).find((candidate) => mayOverlap(candidate.at, one.at));
    if (other === undefined) continue;
    const message =
      `Paths ${quote(other.path)} (task ${quote(other.node.id)}) and ${quote(one.path)} (task ${quote(one.node.id)}) ` +
      'may be the same folder or one inside the other, and each is written.';
    compiling.at(['paths', one.path], message, 'Give them folders that cannot meet.');
  }
}

/** Paths of this pipeline that nobody makes: whoever reads them would wait for ever. */
export function reportUnwritten(
  nodes: readonly TaskNode[],
  writers: ReadonlyMap<string, TaskNode>,
  paths: Readonly<Record<string, PathDeclaration>>,
  compiling: Compiling,
): void {
  for (const [name, declaration] of Object.entries(paths)) {
    if (declaration.shared || writers.has(name)) continue;
    const reader = nodes.find((node) => node.reads.some((read) => read.pipeline === null && read.path === name));
    const message =
      reader === undefined
        ? `Path ${quote(name)} is declared, but no task writes it.`
        : `Path ${quote(name)} is read by task ${quote(reader.id)}, but no task writes it.`;
    compiling.atKey(['paths', name], message, `Add it to \`writes:\` of the task that makes it, or remove it.`);
  }
}

/** Location below the environment's root. */
export function fullLocation(path: PathDeclaration | undefined, pipeline: string): string {
  const at = path?.at ?? '';
  return path?.shared === true ? at : `${pipeline}/${at}`;
}

function writePlace(node: TaskNode, path: string): (string | number)[] {
  return [...node.path, 'writes', node.shape?.writes?.indexOf(path) ?? 0];
}
