import type { TaskShape } from '../shape/task-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { TaskNode } from './task-node.ts';

/** Whose `needs:` they are: a task, or a group of tasks. */
export type Needing = Pick<TaskNode, 'id' | 'first' | 'final' | 'group' | 'path'> & {
  readonly shape: Pick<TaskShape, 'needs'> | null;
};

export interface Needed {
  /** Globs expanded; never the task itself. */
  readonly tasks: Set<string>;
  readonly groups: ReadonlySet<string>;
}

/** What `needs:` names. */
export function expandNeeds(
  node: Needing,
  nodes: ReadonlyMap<string, TaskNode>,
  groups: ReadonlySet<string>,
  compiling: Compiling,
): Needed {
  const found = new Set<string>();
  const foundGroups = new Set<string>();
  const written = node.shape?.needs;
  if (written === undefined) return { tasks: found, groups: foundGroups };
  const label = `${node.path[0] === 'groups' ? 'Group' : 'Task'} ${quote(node.id)}`;
  const isList = Array.isArray(written);
  for (const [index, pattern] of (isList ? written : [written]).entries()) {
    const place = [...node.path, 'needs', ...(isList ? [index] : [])];
    if (/[*?]/.test(pattern)) {
      const matches = [...nodes.keys()].filter(
        (id) =>
          id !== node.id && globMatches(pattern, id) && mayNeed(node, id, nodes) && !isMember(node, nodes.get(id)),
      );
      if (matches.length === 0)
        compiling.at(
          place,
          `No task matches ${quote(pattern)}.`,
          `Known tasks: ${[...nodes.keys()].slice(0, 20).join(', ')}.`,
        );
      for (const id of matches) found.add(id);
    } else if (pattern === node.id) compiling.at(place, `${label} needs itself.`, 'Remove it.');
    else if (groups.has(pattern) && !nodes.has(pattern)) {
      if (node.group !== pattern && !node.first && !node.final) foundGroups.add(pattern);
      else compiling.at(place, `${label} needs the group ${quote(pattern)}, ${whyNoGroup(node)}.`, 'Remove it.');
    } else if (!nodes.has(pattern)) {
      const known = [...nodes.keys(), ...groups].filter((id) => id !== node.id);
      const message = `${label} needs ${quote(pattern)}, which does not exist.`;
      compiling.at(
        place,
        message,
        didYouMean(
          pattern,
          known,
          known.length === 0 ? 'Remove it.' : `Known tasks: ${known.slice(0, 20).join(', ')}.`,
        ),
      );
    } else if (!mayNeed(node, pattern, nodes)) {
      const message = node.first
        ? `${label} under first needs ${quote(pattern)}, which runs after it.`
        : node.final
          ? `${label} under finally needs ${quote(pattern)}, which always ends before.`
          : `${label} needs ${quote(pattern)}, which is under finally and runs after it.`;
      compiling.at(
        place,
        message,
        node.final ? 'Remove it; use `if: tasks.…` to look at its state.' : 'Move one of the two.',
      );
    } else if (node.path[0] === 'groups' && nodes.get(pattern)?.group === node.id)
      compiling.at(place, `${label} needs ${quote(pattern)}, which is in it.`, 'Remove it.');
    else found.add(pattern);
  }
  return { tasks: found, groups: foundGroups };
}

function whyNoGroup(node: Needing): string {
  if (node.final) return 'which always ends before';
  return node.first ? 'which runs after it' : 'in which it is';
}

function isMember(needing: Needing, task: TaskNode | undefined): boolean {
  return needing.path[0] === 'groups' && task?.group === needing.id;
}

/** Tasks need tasks, `finally` tasks need `finally` tasks, `first` tasks need `first` tasks: between them the order is fixed. */
function mayNeed(node: Needing, id: string, nodes: ReadonlyMap<string, TaskNode>): boolean {
  const other = nodes.get(id);
  return other?.final === node.final && (other.first || !node.first);
}

/** `*` any characters, `?` one; linear in the text, however many stars. */
export function globMatches(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '?' || (pattern[p] === text[t] && pattern[p] !== '*')) [p, t] = [p + 1, t + 1];
    else if (pattern[p] === '*') [star, mark, p] = [p, t, p + 1];
    else if (star >= 0) [p, mark, t] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
