import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { TaskNode } from './task-node.ts';

/** Ids that a task's `needs:` names, globs expanded; never the task itself. */
export function expandNeeds(node: TaskNode, nodes: ReadonlyMap<string, TaskNode>, compiling: Compiling): Set<string> {
  const found = new Set<string>();
  const written = node.shape?.needs;
  if (written === undefined) return found;
  const isList = Array.isArray(written);
  for (const [index, pattern] of (isList ? written : [written]).entries()) {
    const place = [...node.path, 'needs', ...(isList ? [index] : [])];
    if (/[*?]/.test(pattern)) {
      const matches = [...nodes.keys()].filter(
        (id) => id !== node.id && globMatches(pattern, id) && mayNeed(node, id, nodes),
      );
      if (matches.length === 0)
        compiling.at(
          place,
          `No task matches ${quote(pattern)}.`,
          `Known tasks: ${[...nodes.keys()].slice(0, 20).join(', ')}.`,
        );
      for (const id of matches) found.add(id);
    } else if (pattern === node.id) compiling.at(place, `Task ${quote(node.id)} needs itself.`, 'Remove it.');
    else if (!nodes.has(pattern)) {
      const known = [...nodes.keys()].filter((id) => id !== node.id);
      const message = `Task ${quote(node.id)} needs ${quote(pattern)}, which does not exist.`;
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
        ? `Task ${quote(node.id)} under first needs ${quote(pattern)}, which runs after it.`
        : node.final
          ? `Task ${quote(node.id)} under finally needs ${quote(pattern)}, which always ends before.`
          : `Task ${quote(node.id)} needs ${quote(pattern)}, which is under finally and runs after it.`;
      compiling.at(
        place,
        message,
        node.final ? 'Remove it; use `if: tasks.…` to look at its state.' : 'Move one of the two.',
      );
    } else found.add(pattern);
  }
  return found;
}

/** Tasks need tasks, `finally` tasks need `finally` tasks, `first` tasks need `first` tasks: between them the order is fixed. */
function mayNeed(node: TaskNode, id: string, nodes: ReadonlyMap<string, TaskNode>): boolean {
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
